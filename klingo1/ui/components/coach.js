const { get, set, on } = window.klingo;
const AGAIN = 3000;
let asked = '';
let asking = false;
/* A server function, not an event: an event that is cut off would end all others. One question at a time, and
   the last is about the pictures as they are then. */
async function ask() {
  const pictures = get('pictures') || [];
  const key = JSON.stringify(pictures.map(({ file, role }) => [file.path, role]));
  if (asking || key === asked) return;
  asking = true;
  let told;
  try {
    told = pictures.length ? await server.judge({ pictures: pictures.map(({ file, role }) => ({ path: file.path, role: role || '' })) }) : {};
  } catch { told = undefined; }
  asking = false;
  if (!told) { setTimeout(ask, AGAIN); return; }
  asked = key;
  set('notes', told);
  ask();
}
on('pictures', ask);
ask();
