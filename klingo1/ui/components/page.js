/* Shared by the page's elements: what the form holds, the price, small tools. Runs in the head, before them. */
window.klingo = (() => {
  'use strict';
  const facts = window.klingoFacts;
  const { t, said, sentences, exchange, locale } = window.klingoLanguage;
  const DRAFT_KEY = 'klingo1-draft';
  const KEPT = ['pictures', 'clip', 'prompt', 'duration', 'aspect', 'engine', 'size'];
  const values = new Map();
  const listeners = new Map();
  let draft = {};
  try { draft = JSON.parse(localStorage.getItem(DRAFT_KEY) || '{}') || {}; } catch { /* private mode: nothing kept */ }

  let saving = null;
  function save() {
    clearTimeout(saving);
    saving = null;
    try { localStorage.setItem(DRAFT_KEY, JSON.stringify(draft)); } catch { /* full or private: nothing kept */ }
  }
  window.addEventListener('pagehide', () => { if (saving) save(); });

  const get = (name) => values.get(name);
  function set(name, value) {
    values.set(name, value);
    if (KEPT.includes(name)) {
      draft[name] = value;
      clearTimeout(saving);
      saving = setTimeout(save, 150);
    }
    for (const tell of listeners.get(name) || []) tell(value);
  }
  /* Calls back now (when the value is known) and on each change. */
  function on(names, tell) {
    for (const name of [].concat(names)) {
      if (!listeners.has(name)) listeners.set(name, new Set());
      listeners.get(name).add(tell);
    }
    if ([].concat(names).some((name) => values.has(name))) tell(get([].concat(names)[0]));
  }

  /* ---- money: integer micro-dollars, as on the server */
  const price = (engine, seconds, withVideo) => facts.tariff[engine][withVideo ? 1 : 0] * seconds;
  function dollars(micro) {
    const whole = Math.floor(micro / 1e6);
    let rest = String(micro % 1e6).padStart(6, '0').replace(/0+$/, '');
    if (rest.length < 2) rest = rest.padEnd(2, '0');
    return `${whole}.${rest}`;
  }
  const money = (micro) => (micro === 0 ? t`free` : `$${dollars(micro)}`);
  const hasVideo = () => { const clip = get('clip'); return Boolean(clip && (clip.file || (clip.url || '').trim())); };
  const currentPrice = () => price(get('engine') || 'draft', get('duration') || facts.durationDefault, hasVideo());

  /* ---- building: text is always text */
  function h(tag, attributes, ...children) {
    const svg = ['svg', 'path', 'circle', 'rect'].includes(tag);
    const node = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
      else if (name === 'dataset') Object.assign(node.dataset, value);
      else node.setAttribute(name, value === true ? '' : value);
    }
    node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
    return node;
  }
  const ICONS = {
    plus: 'M12 5v14M5 12h14', close: 'M6 6l12 12M18 6L6 18', left: 'M14 6l-6 6 6 6', right: 'M10 6l6 6-6 6',
    film: 'M4 5h16v14H4zM8 5v14M16 5v14M4 9.5h4M4 14.5h4M16 9.5h4M16 14.5h4', sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5',
    key: 'M14.5 9.5a4 4 0 11-5 5l-.5.5H7v2H5v2H3v-2.5L9.5 10a4 4 0 015-.5z', again: 'M4 12a8 8 0 0114-5.3L20 9M20 4v5h-5M20 12a8 8 0 01-14 5.3L4 15M4 20v-5h5',
    bell: 'M6 16V11a6 6 0 0112 0v5l2 2H4zM10 20a2 2 0 004 0', picture: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01', help: 'M9 9a3 3 0 115 2c-1 .8-2 1.3-2 3M12 17.5v.01',
    check: 'M5 12.5l4.5 4.5L19 7', alert: 'M12 8v5M12 16.5v.5M12 3l9.5 17h-19z', reuse: 'M9 14L4 9l5-5M4 9h10a6 6 0 010 12h-3',
    sound: 'M4 10v4h3l5 4V6l-5 4zM16 9a4 4 0 010 6M18.5 6.5a8 8 0 010 11', down: 'M12 4v11M7 11l5 5 5-5M5 20h14', stop: 'M7 7h10v10H7z',
    play: 'M8 5.5v13l10.5-6.5z', pause: 'M8.5 5v14M15.5 5v14', bin: 'M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5', search: 'M11 4a7 7 0 100 14 7 7 0 000-14M16 16l4.5 4.5',
    share: 'M12 15V4M8 8l4-4 4 4M5 13v7h14v-7', columns: 'M4 5h7v14H4zM13 5h7v14h-7z',
    undo: 'M9 14L4 9l5-5M4 9h10a6 6 0 010 12h-3', redo: 'M15 14l5-5-5-5M20 9H10a6 6 0 000 12h3', less: 'M5 12h14',
    cut: 'M4 20c4 0 4-3 4-5 0-1.5 1.2-3 3-3s3 1.4 3 3c0 3-3 5-10 5zM12.5 12L19 4.5 20.5 6 14 12.8',
  };
  function icon(name) {
    return h('svg', { viewBox: '0 0 24 24', class: 'k-icon', 'aria-hidden': 'true', fill: 'none', stroke: 'currentColor',
      'stroke-width': '1.75', 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }, h('path', { d: ICONS[name] }));
  }

  function route(name) {
    const config = window.gradio_config || {};
    const root = (config.root || window.location.origin).replace(/\/$/, '');
    return `${root}${config.api_prefix || '/gradio_api'}/${name}`;
  }
  const fileUrl = (path) => route(`file=${path.split(/[\\/]/).map(encodeURIComponent).join('/')}`);
  const asFile = (path, name, type) => ({ path, url: fileUrl(path), orig_name: name || null, mime_type: type || null,
    size: null, is_stream: false, meta: { _type: 'gradio.FileData' } });

  /* Sends a file to the server and resolves to its path there; `tell` hears the percentage that has left.
     Not Gradio's own `upload`: beside whoever catches its error it shows that in a box of its own, in its own words. */
  function sendFile(file, tell = () => {}) {
    return new Promise((resolve, reject) => {
      const sending = new XMLHttpRequest();
      const form = new FormData();
      form.append('files', file, file.name || 'picture');
      sending.open('POST', route('upload'));
      sending.responseType = 'json';
      sending.upload.addEventListener('progress', (event) => { if (event.lengthComputable) tell(Math.floor(100 * event.loaded / event.total)); });
      sending.addEventListener('load', () => {
        const path = sending.status === 200 && sending.response && sending.response[0];
        if (path) resolve(path); else reject(new Error(`HTTP ${sending.status}`));
      });
      sending.addEventListener('error', () => reject(new Error('no answer')));
      sending.send(form);
    });
  }

  const clock = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    return s < 3600 ? `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`
      : `${Math.floor(s / 3600)}:${String(Math.floor(s / 60) % 60).padStart(2, '0')}:${String(s % 60).padStart(2, '0')}`;
  };
  const pictureCount = (count) => (count === 1 ? t`1 picture` : t`${count} pictures`);

  /* What the draft engine understood, as quiet words; while typing and on the card. */
  const kinds = () => ({ place: t`Place`, time: t`Time`, weather: t`Weather`, looks: t`Look`, actions: t`Action`, camera: t`Camera` });
  function reading(box, read, lead) {
    const known = read && (read.facts || read.ignored) ? read : null;
    box.hidden = !known;
    const key = JSON.stringify(known);
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    if (!known) { box.replaceChildren(); return; }
    const facts = known.facts.map(([kind, words]) => h('span', { class: 'fact', dataset: { kind } }, h('i', {}, kinds()[kind] || kind), ` ${words.split(', ').map(said).join(', ')}`));
    const passed = known.ignored.length ? h('span', { class: 'passed' }, h('i', {}, t`No effect:`), ` ${known.ignored.join(', ')}${known.more ? t` and ${known.more} more` : ''}`) : null;
    box.replaceChildren(h('span', { class: 'lead' }, lead), ' ', ...(facts.length ? facts : [h('span', { class: 'fact' }, t`no place, action or camera named: it stages a simple scene`)]).flatMap((node) => [node, ' ']), ...(passed ? [passed] : []));
  }

  let speaker = null;
  function announce(text) {
    if (!speaker || !speaker.isConnected) {
      speaker = h('div', { class: 'k-hidden', role: 'status', 'aria-live': 'polite' });
      document.querySelector('.gradio-container')?.append(speaker);
    }
    speaker.textContent = '';
    setTimeout(() => { speaker.textContent = text; }, 30);
  }

  /* ---- the form as a whole */
  function problemsOf(field) {
    return (get('problems') || []).filter((p) => p.field === field || (field === 'images' && /^images\[/.test(p.field)));
  }
  function clearProblems(field) {
    const all = get('problems') || [];
    const left = all.filter((p) => !(p.field === field || (field === 'images' && /^images\[/.test(p.field))));
    if (left.length !== all.length) set('problems', left);
  }
  function showProblems(box, field) {
    box.replaceChildren(...problemsOf(field).map((p) => h('span', {}, sentences(p.text, p.remedy))));
  }
  /* What keeps the Generate button from working: [field, sentence]. */
  function missing() {
    const list = [];
    const pictures = get('pictures') || [];
    const prompt = get('prompt') || '';
    const most = hasVideo() ? facts.imagesMaxWithVideo : facts.imagesMax;
    if (get('uploading')) list.push(['images', t`Wait for the upload to end`]);
    else if (!pictures.length) list.push(['images', t`Add at least one picture`]);
    if (pictures.length > most) list.push(['images', hasVideo() ? t`Keep at most ${most} pictures beside a video` : t`Keep at most ${most} pictures`]);
    if (pictures.some((p) => notesOf(p).some((n) => n.kind === 'refused'))) list.push(['images', t`Replace the picture marked in red`]);
    if (!prompt.trim()) list.push(['prompt', t`Write a prompt`]);
    const length = Array.from(prompt).length;
    if (length > facts.promptMax) list.push(['prompt', t`Shorten the prompt by ${(length - facts.promptMax).toLocaleString('en-US')}`]);
    const url = ((get('clip') || {}).url || '').trim();
    if (url && !/^https:\/\/\S+$/.test(url)) list.push(['video', t`Give the video as an https:// address`]);
    if (get('engine') === 'kling' && !get('hasKey')) list.push(['key', t`Enter your WaveSpeed key`]);
    return list;
  }
  /* A picture as a question to the server names it; what else it has here (its size, its preview) comes when it comes. */
  const described = ({ file, role, view, mask, group }) => ({ path: file.path, role: role || '', view: view || '', mask: mask ? mask.path : '', group: group || 0 });
  const notesOf = (picture) => (get('notes') || {})[picture.file.path] || [];

  /* Buttons that wait for an answer keep the focus, which a disabled one loses, and take no further click. */
  function hold(buttons, waiting = true) {
    for (const button of buttons) {
      button.toggleAttribute('data-waits', waiting);
      if (waiting) button.setAttribute('aria-disabled', 'true'); else button.removeAttribute('aria-disabled');
    }
  }
  document.addEventListener('click', (event) => { if (event.target.closest?.('[data-waits]')) { event.preventDefault(); event.stopImmediatePropagation(); } }, true);

  /* Whether an upload failed because the server's disk is nearly full (507). */
  const diskFull = (error) => /\b507\b/.test(String(error && error.message));

  /* Takes complete inputs: an example, or those of an earlier job. */
  function load(inputs) {
    const pictures = inputs.pictures.map((p) => ({ file: asFile(p.path, said(p.name)), role: p.role || '', view: p.view || '',
      mask: p.mask ? asFile(p.mask, 'mask.png', 'image/png') : null, group: p.group || 0 }));
    const clip = inputs.video || {};
    const push = { pictures, prompt: inputs.prompt, duration: inputs.duration, aspect: inputs.aspect,
      clip: { file: clip.path ? asFile(clip.path, t`reference video`, 'video/mp4') : null, url: clip.url || '', keep_sound: clip.keep_sound !== false } };
    if (inputs.engine) push.engine = inputs.engine;
    if (inputs.size) push.size = inputs.size;
    set('problems', []);
    for (const [name, value] of Object.entries(push)) set(`take:${name}`, value);
    announce(t`Inputs loaded.`);
  }

  function focusField(field) {
    const target = { images: '#k-pictures .add, #k-pictures .tile', prompt: '#k-prompt textarea', video: '#k-clip input, #k-clip button',
      key: '#k-engine input[type=password]', price: '#k-generate button' }[field.replace(/\[\d+\]$/, '')];
    const node = target && document.querySelector(target);
    if (node) { node.focus(); node.scrollIntoView({ block: 'nearest' }); }
  }

  const shownVideo = () => { const view = get('view'); return { __type__: 'update', visible: true, value: view && view.video ? asFile(view.video, `klingo1-${view.id.slice(0, 8)}.mp4`, 'video/mp4') : null }; };
  const remembered = (memory) => ({ ...(memory || {}), job: get('job') || '' });

  return { t, said, sentences, exchange, locale, facts, draft, get, set, on, price, dollars, money, currentPrice, hasVideo, h, icon, fileUrl, asFile, sendFile, clock, pictureCount,
    announce, reading, problemsOf, clearProblems, showProblems, missing, described, notesOf, hold, diskFull, load, focusField, shownVideo, remembered };
})();
(() => {
  try {
    const wish = localStorage.getItem('klingo1-theme');
    if (wish) {
      const apply = () => document.body.classList.toggle('dark', wish === 'dark');
      document.addEventListener('DOMContentLoaded', apply);
      window.addEventListener('load', () => setTimeout(apply, 0));
    }
  } catch { /* no storage: the system decides */ }
})();
