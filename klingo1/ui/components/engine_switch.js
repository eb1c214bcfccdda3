const { t, facts, h, icon, get, set, on, draft, price, money, hasVideo, clearProblems, showProblems, hold, announce } = window.klingo;
const group = element.querySelector('.switch');
const form = element.querySelector('form');
const field = form.querySelector('input');
const known = element.querySelector('.known');
const problem = element.querySelector('.k-problem');
let balance = '';
const ENGINES = [['draft', t`Draft`, t`on this machine`], ['kling', 'Kling O1', t`final quality`]];
const buttons = ENGINES.map(([name, title, note]) => h('button', { type: 'button', role: 'radio', dataset: { engine: name }, onclick() { clearProblems('key'); take(name); } },
  h('b', {}, title), h('span', { class: 'cost' }), h('small', {}, note)));
group.append(...buttons);
group.addEventListener('keydown', (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const index = (ENGINES.findIndex(([name]) => name === get('engine')) + step + ENGINES.length) % ENGINES.length;
  take(ENGINES[index][0]);
  buttons[index].focus();
});
function take(value) {
  const engine = value === 'kling' ? 'kling' : 'draft';
  if (props.value !== engine) props.value = engine;
  set('engine', engine);
}
function draw() {
  const engine = get('engine');
  buttons.forEach((button) => {
    const name = button.dataset.engine;
    button.setAttribute('aria-checked', String(name === engine));
    button.tabIndex = name === engine ? 0 : -1;
    button.querySelector('.cost').textContent = money(price(name, get('duration') || facts.durationDefault, hasVideo()));
  });
  const paid = engine === 'kling';
  form.hidden = !paid || Boolean(get('hasKey'));
  known.hidden = !paid || !get('hasKey');
  const lent = Boolean(get('lent')) && !balance;
  known.querySelector('span').textContent = lent ? t`This page’s key pays for you, within its limits.` : balance ? t`Your key works. Balance ${balance}.` : t`A key is in use.`;
  known.querySelector('button').hidden = lent;
  form.querySelector('.or').hidden = !get('signIn');
}
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const key = field.value;
  const send = form.querySelector('button');
  if (!key.trim() || send.hasAttribute('data-waits')) { field.focus(); return; }
  clearProblems('key');
  hold([send]);
  send.textContent = t`Checking…`;
  let answer;
  try { answer = await server.give_key({ owner: get('owner') || '', key }); } catch { answer = undefined; }
  hold([send], false);
  send.textContent = t`Use key`;
  if (answer && answer.ok) {
    field.value = '';
    balance = answer.balance;
    set('hasKey', true);
    announce(t`Your key works. Balance ${balance}.`);
    known.querySelector('button').focus({ preventScroll: true });
  } else {
    set('problems', [...(get('problems') || []), { field: 'key', text: (answer && answer.text) || t`The server did not answer.`, remedy: (answer && answer.remedy) || t`Try again.` }]);
    field.focus();
    field.select();
  }
});
known.querySelector('button').addEventListener('click', async () => {
  let answer;
  try { answer = await server.forget_key({ owner: get('owner') || '' }); } catch { answer = undefined; }
  if (!answer || !answer.ok) return;
  balance = '';
  set('hasKey', answer.has_key);
  announce(t`The key is forgotten.`);
  if (!answer.has_key) field.focus();
});
on(['engine', 'duration', 'clip', 'hasKey', 'lent', 'signIn'], draw);
on('problems', () => showProblems(problem, 'key'));
on('take:engine', (value) => { if (value !== undefined) take(value); });
take(draft.engine ?? props.value);
on('form', () => { props.value = get('engine'); });
