const { t, h, icon, get, set, on, draft, asFile, sendFile, hold, announce, clearProblems, showProblems, diskFull } = window.klingo;
const LIMIT = 200 * 1000 * 1000;
const $ = (selector) => element.querySelector(selector);
const chooser = $('.files');
const video = $('.clip video');
let clip = { file: null, url: '', keep_sound: true };
let byUrl = false;
let working = false;
$('.choose').append(icon('film'), h('span', {}, t`Add a video`));
element.querySelectorAll('.away').forEach((button) => button.append(icon('close')));

function commit(change) {
  clip = { ...clip, ...change };
  props.value = clip;
  set('clip', clip);
  clearProblems('video');
  draw();
}
function draw() {
  const has = Boolean(clip.file);
  $('.bare').hidden = has || byUrl;
  $('.ways').hidden = has || byUrl;
  $('.address').hidden = has || !byUrl;
  $('.clip').hidden = !has;
  $('.sound').hidden = !(has || (byUrl && clip.url.trim()));
  $('.sound input').checked = clip.keep_sound;
  hold([$('.choose')], working);
  $('.choose span').textContent = working ? t`Uploading…` : t`Add a video`;
  if (has && video.getAttribute('src') !== clip.file.url) video.src = clip.file.url;
  if (!has) video.removeAttribute('src');
  $('.clip b').textContent = has ? clip.file.orig_name || t`Reference video` : '';
  if ($('#k-clip-url').value !== clip.url) $('#k-clip-url').value = clip.url;
}
video.addEventListener('loadedmetadata', () => {
  $('.clip .facts span').textContent = `${video.duration.toFixed(1)} s · ${video.videoWidth} × ${video.videoHeight}`;
});
video.addEventListener('error', () => { $('.clip .facts span').textContent = t`No preview in this browser`; });
function say(text, remedy) { set('problems', [...(get('problems') || []).filter((p) => p.field !== 'video'), { field: 'video', text, remedy }]); }
async function add(file, { dropped = false } = {}) {
  found.hidden = true;
  clearProblems('video');
  if (!/^video\//.test(file.type) && !/\.(mp4|mov|webm|m4v)$/i.test(file.name)) { say(t`${file.name} is not a video.`, t`Choose an MP4 or MOV.`); return; }
  if (file.size === 0) { say(t`${file.name} is an empty file.`, t`Save it once more.`); return; }
  if (file.size > LIMIT) { say(t`${file.name} has ${Math.round(file.size / 1e6)} MB; the limit is 200 MB.`, t`Save it smaller.`); return; }
  working = true;
  set('uploading', (get('uploading') || 0) + 1);
  draw();
  try {
    const path = await sendFile(file, (sent) => { $('.choose span').textContent = `${t`Uploading…`} ${sent} %`; });
    const received = { ...asFile(path, file.name, file.type || 'video/mp4'), size: file.size };
    if (dropped && await offer(received)) return;
    use(received);
  } catch (error) {
    say(t`${file.name} could not be uploaded.`, diskFull(error) ? t`The disk of this page is almost full. Try again later.` : t`Check the connection and add it again.`);
  } finally {
    working = false;
    set('uploading', Math.max(0, (get('uploading') || 1) - 1));
    draw();
  }
}
function use(received) {
  byUrl = false;
  commit({ file: received, url: '' });
  announce(t`Reference video added. At most four pictures go with it.`);
  $('.clip .away').focus();
}
/* A video of ours says how it was made: its settings may be what somebody wants of it. */
const found = $('.found');
async function offer(received) {
  let recipe = null;
  try { recipe = await server.recipe({ path: received.path }); } catch { /* then it is a video like others */ }
  if (!recipe || !recipe.prompt) return false;
  const words = recipe.prompt.length > 120 ? `${recipe.prompt.slice(0, 120)}…` : recipe.prompt;
  found.querySelector('p').textContent = t`This video tells how it was made: “${words}” · ${recipe.duration} s · ${recipe.aspect}`;
  for (const button of found.querySelectorAll('button')) {
    button.onclick = () => {
      found.hidden = true;
      if (button.dataset.use === 'clip') { use(received); return; }
      if (button.dataset.use === 'settings') {
        for (const name of ['prompt', 'duration', 'aspect']) set(`take:${name}`, recipe[name]);
        announce(t`Settings applied.`);
        document.querySelector('#k-prompt textarea')?.focus();
      } else $('.choose').focus();
    };
  }
  found.hidden = false;
  found.querySelector('button').focus();
  announce(t`This video tells how it was made. Apply its settings, use it as reference video, or cancel.`);
  return true;
}
found.addEventListener('keydown', (event) => { if (event.key === 'Escape') { event.preventDefault(); found.querySelector('[data-use=""]').click(); } });
$('.choose').addEventListener('click', () => chooser.click());
chooser.addEventListener('change', () => { const [file] = chooser.files; chooser.value = ''; if (file) add(file); });
$('.by-url').addEventListener('click', () => { byUrl = true; draw(); $('#k-clip-url').focus(); });
$('#k-clip-url').addEventListener('input', (event) => commit({ url: event.target.value }));
element.querySelectorAll('.away').forEach((button) => button.addEventListener('click', () => {
  byUrl = false;
  commit({ file: null, url: '' });
  announce(t`Reference video removed.`);
  $('.choose').focus();
}));
$('.sound input').addEventListener('change', (event) => commit({ keep_sound: event.target.checked }));
on('droppedClip', (file) => { if (file) add(file, { dropped: true }); });
on('problems', () => showProblems($('.k-problem'), 'video'));
on('take:clip', (value) => { if (value) { byUrl = Boolean(value.url); commit({ file: value.file, url: value.url || '', keep_sound: value.keep_sound !== false }); } });
const kept = draft.clip || {};
byUrl = Boolean(kept.url);
commit({ file: kept.file && typeof kept.file.path === 'string' ? asFile(kept.file.path, kept.file.orig_name, kept.file.mime_type) : null, url: typeof kept.url === 'string' ? kept.url : '', keep_sound: kept.keep_sound !== false });
on('form', () => { props.value = { ...clip }; });
