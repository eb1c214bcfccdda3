const { set, get, on, h } = window.klingo;
/* The page's own sheet cannot name the body: Gradio puts its container before every selector there. */
document.head.append(h('style', {}, 'body:not(.k-listing) #k-list, body.k-listing #k-page { display: none !important; }'));
const tabs = [...element.querySelectorAll('[role=tab]')];
function choose(listing, focus = false) {
  document.body.classList.toggle('k-listing', listing);
  tabs.forEach((tab, number) => {
    const chosen = (number === 1) === listing;
    tab.setAttribute('aria-selected', String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) tab.focus();
  });
  if (get('listing') !== listing) set('listing', listing);
}
tabs.forEach((tab, number) => {
  tab.addEventListener('click', () => choose(number === 1));
  tab.addEventListener('keydown', (event) => {
    if (['ArrowLeft', 'ArrowRight'].includes(event.key)) { event.preventDefault(); choose(number === 0, true); }
  });
});
on('showJob', (job) => { if (job && get('listing')) choose(false); });
choose(window.location.hash === '#list');
