const { t, said, sentences, locale, h, icon, get, set, on, hold, announce, focusField } = window.klingo;
const $ = (selector) => element.querySelector(selector);
const seek = $('.seek');
const region = $('.region');
const list = $('ul');
let turn = 0;
seek.prepend(icon('search'));
$('.shut').append(icon('close'));

function say(text, ...rest) { $('.said').replaceChildren(h('span', {}, text), ...rest.filter(Boolean).flatMap((node) => [' ', node])); }
function open(shown) { region.hidden = !shown; seek.setAttribute('aria-expanded', String(shown)); }
async function search() {
  const mine = (turn += 1);
  open(true);
  list.replaceChildren();
  $('.more').textContent = '';
  region.setAttribute('aria-busy', 'true');
  say(t`Comparing with the service’s list of the last 7 days…`);
  let answer;
  try { answer = await server.find_lost({ owner: get('owner') || '' }); } catch { answer = undefined; }
  if (mine !== turn) return;
  region.removeAttribute('aria-busy');
  if (!answer || !answer.runs) { say(t`This page’s server did not answer. Nothing is lost; try again.`); return; }
  say(sentences(answer.text, answer.remedy),
    answer.field === 'key' && h('button', { type: 'button', class: 'do', onclick() { set('take:engine', 'kling'); focusField('key'); } }, t`Enter the key`));
  $('.more').textContent = said(answer.more);
  list.replaceChildren(...answer.choices.map(choice), ...answer.runs.map((run) => row(run, t`Fetch it here`, (button) => decide(button, 'adopt', { prediction: run.id }))));
}
function when(created) {
  const at = new Date(typeof created === 'number' ? created * 1000 : created);
  return Number.isNaN(at.getTime()) ? '' : at.toLocaleString(locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
}
function row(run, label, act) {
  const facts = [said(run.status), when(run.created), run.duration ? `${run.duration} s` : '', run.aspect].filter(Boolean).join(' · ');
  return h('li', { class: 'run', dataset: { id: run.id } },
    h('div', { class: 'what' }, run.prompt ? h('b', { class: 'prompt' }, run.prompt) : h('b', {}, t`The service does not repeat its prompt`),
      h('small', {}, facts), h('small', { class: 'prompt' }, run.id), h('small', { class: 'money' }, said(run.money))),
    h('button', { type: 'button', class: 'do', 'aria-label': `${label}: ${run.prompt.slice(0, 60) || run.id}`, onclick() { act(this); } }, label));
}
function choice(one) {
  return h('li', { class: 'choice', dataset: { job: one.job } },
    h('b', { class: 'prompt' }, one.prompt), h('p', {}, said(one.problem)), h('p', { class: 'money' }, said(one.money)),
    h('ul', {}, ...one.runs.map((run) => row(run, t`This is it`, (button) => decide(button, 'choose', { job: one.job, prediction: run.id })))),
    h('div', { class: 'out' }, h('button', { type: 'button', class: 'do', onclick() { decide(this, 'release', { job: one.job }); } }, said(one.release)), h('small', {}, said(one.meaning))));
}
async function decide(button, what, asked) {
  const item = button.closest('li.choice') || button.closest('li');
  const buttons = item.querySelectorAll('button');
  hold(buttons);
  let answer;
  try { answer = await server[what]({ owner: get('owner') || '', ...asked }); } catch { answer = undefined; }
  if (!answer || !answer.ok) {
    hold(buttons, false);
    item.querySelector('.k-problem')?.remove();
    item.append(h('p', { class: 'k-problem', role: 'alert' }, answer ? sentences(answer.text, answer.remedy) : t`This page’s server did not answer. Nothing is lost; try again.`));
    return;
  }
  const words = what === 'release' ? said(answer.text) : `${t`It is fetched and shown above.`} ${said(answer.text)}`;
  item.replaceChildren(h('p', { class: 'settled', tabindex: '-1' }, icon('check'), h('span', {}, words)));
  item.firstElementChild.focus({ preventScroll: true });
  announce(words);
  set('stateChanged', `${answer.job}:settled`);
  if (what === 'release' && answer.job !== get('job')) return;
  set('showJob', answer.job);
  if (what !== 'release') document.querySelector('#k-result')?.scrollIntoView({ block: 'nearest' });
}
seek.addEventListener('click', search);
$('.shut').addEventListener('click', () => { turn += 1; open(false); seek.focus(); });
on('findLost', (job) => { if (job) { search(); element.scrollIntoView({ block: 'nearest' }); seek.focus({ preventScroll: true }); } });
