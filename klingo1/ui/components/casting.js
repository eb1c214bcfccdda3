const { get, set, on } = window.klingo;
const PAUSE = 500;
const PATIENCE = 30000;
let wait = null;
let late = null;
let asked = '';
let asking = false;
/* Asked when there is a prompt to read and the changing pauses, one question at a time. */
function listen() {
  const pictures = get('pictures') || [];
  const key = JSON.stringify(pictures.map(({ file, role, view, mask, group }) => [file.path, role, view, mask && mask.path, group]));
  clearTimeout(wait);
  if (key === asked || !pictures.length || !(get('prompt') || '').trim()) return;
  wait = setTimeout(() => {
    if (asking) return;
    asked = key;
    asking = true;
    late = setTimeout(rest, PATIENCE);
    trigger('ask');
  }, PAUSE);
}
function rest() {
  clearTimeout(late);
  asking = false;
  listen();
}
watch('value', () => { set('cast', props.value); rest(); });
on(['pictures', 'prompt'], listen);
