const { t, sentences, icon, get, set, hold } = window.klingo;
const $ = (selector) => element.querySelector(selector);
const sheet = $('.sheet');
const go = $('.go');
const keep = $('.keep');
$('.ask').prepend(icon('bin'));

$('.ask').addEventListener('click', () => {
  $('h2').textContent = t`Delete everything of mine?`;
  $('#k-farewell-text').hidden = false;
  $('.said').textContent = '';
  go.hidden = false;
  hold([go], false);
  keep.textContent = t`Keep everything`;
  sheet.showModal();
  keep.focus();
});
keep.addEventListener('click', () => sheet.close());
sheet.addEventListener('click', (event) => { if (event.target === sheet) sheet.close(); });
go.addEventListener('click', async () => {
  hold([go]);
  $('.said').textContent = t`Deleting…`;
  const files = [...(get('pictures') || []).map((one) => one.file), (get('clip') || {}).file].filter(Boolean).map((file) => file.path);
  let answer;
  try { answer = await server.delete_all({ owner: get('owner') || '', files }); } catch { answer = undefined; }
  if (!answer || !answer.ok) {
    hold([go], false);
    $('.said').textContent = t`It could not all be deleted. Try again.`;
    return;
  }
  $('h2').textContent = t`Deleted`;
  $('#k-farewell-text').hidden = true;
  $('.said').textContent = sentences(answer.text, answer.remedy);
  go.hidden = true;
  keep.textContent = t`Close`;
  keep.focus();
  forget(answer.has_key);
});
/* What this browser holds: the form and its notes, the run on the card, the list. */
function forget(hasKey) {
  for (const [name, value] of [['pictures', []], ['prompt', ''], ['clip', { file: null, url: '', keep_sound: true }]]) set(`take:${name}`, value);
  set('problems', []);
  set('hasKey', Boolean(hasKey));
  set('deleted', get('job'));
  set('stateChanged', 'everything:deleted');
}
