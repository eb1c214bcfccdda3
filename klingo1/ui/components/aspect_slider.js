const { t, facts, h, get, set, on, draft, clearProblems, showProblems } = window.klingo;
const WORDS = { '9:16': t`upright`, '1:1': t`square`, '16:9': t`wide` };
const input = element.querySelector('input');
const output = element.querySelector('output');
const frame = element.querySelector('.frame i');
const stops = element.querySelector('.stops');
input.max = String(facts.aspects.length - 1);
const chips = facts.aspects.map((aspect) => h('span', {}, aspect));
stops.append(...chips);
function take(value) {
  const aspect = facts.aspects.includes(value) ? value : facts.aspectDefault;
  const index = facts.aspects.indexOf(aspect);
  const [w, tall] = aspect.split(':').map(Number);
  input.value = String(index);
  input.style.setProperty('--fill', `${(index / (facts.aspects.length - 1)) * 100}%`);
  input.setAttribute('aria-valuetext', t`${w} to ${tall}, ${WORDS[aspect] || ''}`);
  output.textContent = aspect;
  const scale = 30 / Math.max(w, tall);
  frame.style.width = `${Math.round(w * scale)}px`;
  frame.style.height = `${Math.round(tall * scale)}px`;
  if (props.value !== aspect) props.value = aspect;
  set('aspect', aspect);
}
input.addEventListener('input', () => { clearProblems('aspect_ratio'); take(facts.aspects[Number(input.value)]); });
on('take:aspect', (value) => { if (value !== undefined) take(value); });
on('problems', () => showProblems(element.querySelector('.k-problem'), 'aspect_ratio'));
take(draft.aspect ?? props.value);
on('form', () => { props.value = get('aspect'); });
