const { get, set, on, described } = window.klingo;
const PAUSE = 500;
let wait = null;
let asked = '';
let asking = false;
/* Asked when there is a prompt to read and the changing pauses, one question at a time. */
function listen() {
  const pictures = get('pictures') || [];
  const named = pictures.map(described);
  const key = JSON.stringify(named);
  clearTimeout(wait);
  if (key === asked || !pictures.length || !(get('prompt') || '').trim()) return;
  wait = setTimeout(() => ask(key, named), PAUSE);
}
/* A server function, not an event: an event that is cut off would reload the page. */
async function ask(key, named) {
  if (asking) return;
  asked = key;
  asking = true;
  let told;
  try {
    told = await server.cast({ pictures: named });
  } catch { told = undefined; }
  asking = false;
  if (told) set('cast', told);
  listen();
}
on(['pictures', 'prompt'], listen);
