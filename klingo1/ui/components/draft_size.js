const { t, facts, h, get, set, on, draft } = window.klingo;
const line = element.querySelector('.line');
const group = element.querySelector('.sizes');
const buttons = facts.draftSizes.map((size) => h('button', { type: 'button', role: 'radio', dataset: { size }, onclick() { take(size); } }, size));
group.append(...buttons);
group.addEventListener('keydown', (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const index = (facts.draftSizes.indexOf(get('size')) + step + buttons.length) % buttons.length;
  take(facts.draftSizes[index]);
  buttons[index].focus();
});
function take(value) {
  const size = facts.draftSizes.includes(value) ? value : facts.draftSizes[0];
  if (props.value !== size) props.value = size;
  set('size', size);
  for (const button of buttons) { button.setAttribute('aria-checked', String(button.dataset.size === size)); button.tabIndex = button.dataset.size === size ? 0 : -1; }
  element.querySelector('.note').textContent = size === facts.draftSizes[0] ? '' : t`sharper, takes longer`;
}
on('engine', (engine) => { line.hidden = engine === 'kling'; });
on('take:size', (value) => { if (value !== undefined) take(value); });
take(draft.size ?? props.value);
on('form', () => { props.value = get('size'); });
