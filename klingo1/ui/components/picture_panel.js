/* The open picture's panel: its role, its view, which subject it shows, its notes.
   `gallery` is what the reference gallery lends: all(), commit, move, mend, grip, remarksOf, nameOf. */
window.klingoPicturePanel = (panel, gallery) => {
  'use strict';
  const { t, sentences, facts, h, icon, get, set } = window.klingo;
  const { commit, move, mend, grip, remarksOf, nameOf } = gallery;
  const ROLE_NAMES = { '': t`Guess`, character: t`Character`, prop: t`Prop`, scene: t`Scene`, style: t`Style` };
  const VIEW_NAMES = { '': t`View: guess`, front: t`Front`, side: t`Side`, back: t`Back`, left: t`Facing left`, right: t`Facing right` };

  /* What the draft engine takes a picture for, once it was asked of these very pictures. */
  function guessed(index) {
    const { paths = [], cast = [] } = get('cast') || {};
    const same = JSON.stringify(paths) === JSON.stringify(gallery.all().map((picture) => picture.file.path));
    const role = same && !facts.roles.includes(gallery.all()[index].role) && cast.find((member) => member.images.includes(index + 1))?.role;
    return role ? t`Guess: ${ROLE_NAMES[role] || role}` : ROLE_NAMES[''];
  }
  function draw(open) {
    const pictures = gallery.all();
    const index = pictures.indexOf(open);
    panel.hidden = index < 0;
    if (index < 0) { panel.replaceChildren(); return; }
    const focused = panel.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    const notes = remarksOf(open);
    const roles = h('div', { class: 'roles', role: 'group', 'aria-label': t`Role of picture ${index + 1}` },
      ...['', ...facts.roles].map((role) => h('button', { type: 'button', 'aria-pressed': String((open.role === 'guess' ? '' : open.role || '') === role), dataset: { part: `role-${role}` }, onclick() {
        const next = pictures.slice();
        open.role = role || (open.role ? 'guess' : '');
        commit(next);
      } }, role === '' ? guessed(index) : ROLE_NAMES[role] || role)));
    const view = h('select', { class: 'view', 'aria-label': t`View of picture ${index + 1}`, dataset: { part: 'view' }, onchange() {
      const next = pictures.slice();
      open.view = this.value || (open.view ? 'guess' : '');
      commit(next);
    } }, ...Object.entries(VIEW_NAMES).map(([value, name]) => h('option', { value }, name)));
    view.value = open.view === 'guess' ? '' : open.view || '';
    roles.append(view);
    const kin = pictures.length > 1 ? kinOf(index) : null;
    const scene = open.role === 'scene' || open.role === 'style';
    const cut = h('button', { type: 'button', class: 'cut', disabled: scene || !open.file.path, dataset: { part: 'cut' }, onclick() { set('brush', null); set('brush', index); } }, icon('cut'), open.mask ? t`Cut-out corrected` : t`Correct the cut-out`);
    panel.replaceChildren(
      h('div', { class: 'line' }, h('b', {}, `@Image${index + 1}`), h('span', { class: 'name' }, nameOf(open)), open.width ? h('span', { class: 'size' }, `${open.width} × ${open.height}`) : null,
        h('span', { class: 'moves' },
          h('button', { type: 'button', 'aria-label': t`Move picture ${index + 1} earlier`, disabled: index === 0, dataset: { part: 'left' }, onclick() { move(index, index - 1, false); } }, icon('left')),
          h('button', { type: 'button', 'aria-label': t`Move picture ${index + 1} later`, disabled: index === pictures.length - 1, dataset: { part: 'right' }, onclick() { move(index, index + 1, false); } }, icon('right')))),
      roles,
      h('div', { class: 'roles' }, kin, cut),
      ...notes.map((n) => h('p', { class: n.kind === 'refused' ? 'remark bad' : 'remark' }, sentences(n.text, n.remedy),
        n.kind === 'ratio' ? h('button', { type: 'button', class: 'fit', dataset: { part: 'fit' }, onclick() { mend(open); } }, t`Crop or add borders`) : null)));
    if (focused) (panel.querySelector(`[data-part="${focused}"]:not(:disabled)`) || grip(index))?.focus();
  }

  /* Who is who: the engine's guess, a subject of its own, or the same as in another picture. */
  function kinOf(index) {
    const pictures = gallery.all();
    const own = pictures[index];
    const other = pictures.findIndex((p, i) => i !== index && own.group && p.group === own.group);
    const free = () => 1 + Math.max(0, ...pictures.map((p) => p.group || 0));
    const select = h('select', { class: 'view', 'aria-label': t`Subject of picture ${index + 1}`, dataset: { part: 'kin' }, onchange() {
      const before = own.group;
      if (this.value === '' || this.value === 'own') own.group = this.value ? free() : 0;
      else {
        const with_ = pictures[Number(this.value)];
        if (!with_.group) with_.group = free();
        own.group = with_.group;
      }
      if (before !== own.group) ungroup(pictures, before);
      commit(pictures.slice());
    } }, h('option', { value: '' }, t`Subject: guess`), h('option', { value: 'own' }, t`A subject of its own`),
    ...pictures.map((p, i) => (i === index ? null : h('option', { value: String(i) }, t`Same subject as picture ${i + 1}`))));
    select.value = other >= 0 ? String(other) : own.group ? 'own' : '';
    return select;
  }
  /* A subject that a person named in one picture only says nothing. */
  function ungroup(list, group) {
    const kin = list.filter((p) => group && p.group === group);
    if (kin.length === 1) kin[0].group = 0;
  }
  return { draw, ungroup };
};
