const { t, said, icon, on } = window.klingo;
document.title = said(document.title);
const button = element.querySelector('.theme');
button.append(icon('sun'));
button.addEventListener('click', () => {
  const dark = !document.body.classList.contains('dark');
  document.body.classList.toggle('dark', dark);
  try { localStorage.setItem('klingo1-theme', dark ? 'dark' : 'light'); } catch { /* not kept */ }
});
try {
  const wish = localStorage.getItem('klingo1-theme');
  if (wish) document.body.classList.toggle('dark', wish === 'dark');
} catch { /* the system decides */ }
/* Where visitors may sign in, the server says who has; "" is nobody. */
on('user', (name) => {
  const sign = element.querySelector('.sign');
  const who = element.querySelector('.who');
  sign.hidden = name === undefined;
  who.hidden = !name;
  who.textContent = name || '';
  sign.querySelector('.long').textContent = name ? t`Sign out` : t`Sign in with Hugging Face`;
  sign.querySelector('.short').textContent = name ? t`Sign out` : t`Sign in`;
  sign.href = name ? '/logout?_target_url=/' : '/login/huggingface?_target_url=/';
});
const sheet = element.querySelector('.sheet');
const keys = element.querySelector('.keys');
keys.append(icon('help'));
keys.addEventListener('click', () => sheet.showModal());
sheet.addEventListener('click', (event) => { if (event.target === sheet) sheet.close(); });
document.addEventListener('keydown', (event) => {
  if (event.key !== '?' || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.('input:not([type=range]):not([type=checkbox]), textarea, [contenteditable]')) return;
  event.preventDefault();
  if (!sheet.open) sheet.showModal();
});
