const { t, facts, h, get, set, on, draft, clearProblems, showProblems } = window.klingo;
const input = element.querySelector('input');
const output = element.querySelector('output');
const stops = element.querySelector('.stops');
input.min = facts.durationMin;
input.max = facts.durationMax;
for (let s = facts.durationMin; s <= facts.durationMax; s += 1) stops.append(h('span', {}, String(s)));
const whole = (value) => (Number.isInteger(value) && value >= facts.durationMin && value <= facts.durationMax ? value : facts.durationDefault);
function take(value) {
  const seconds = whole(value);
  input.value = String(seconds);
  input.style.setProperty('--fill', `${((seconds - facts.durationMin) / (facts.durationMax - facts.durationMin)) * 100}%`);
  input.setAttribute('aria-valuetext', t`${seconds} seconds`);
  output.textContent = `${seconds} s`;
  if (props.value !== seconds) props.value = seconds;
  set('duration', seconds);
}
input.addEventListener('input', () => { clearProblems('duration'); take(Number(input.value)); });
on('take:duration', (value) => { if (value !== undefined) take(value); });
on('problems', () => showProblems(element.querySelector('.k-problem'), 'duration'));
take(draft.duration ?? props.value);
on('form', () => { props.value = get('duration'); });
