const { h, icon } = window.klingo;
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
