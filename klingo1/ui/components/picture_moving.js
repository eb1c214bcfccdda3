/* Moving a picture with a pointer: the held tile follows, the others make room. A finger holds for a moment first, so that it can still scroll.
   `onMoved(keys, key)` gets the tiles' keys in their new order and the key of the one that was held; `moved()` tells a click that ended a drag, `holds()` that one is under way. */
window.klingoPictureMoving = (tiles, onMoved) => {
  'use strict';
  let dragged = false;
  let holding = false;
  tiles.addEventListener('pointerdown', (event) => {
    const tile = event.target.closest('.tile');
    if (!tile || tile.classList.contains('waiting') || event.button !== 0 || event.target.closest('.drop-it')) return;
    const from = { x: event.clientX, y: event.clientY };
    let moving = false;
    let shift = { x: 0, y: 0 };
    dragged = false;
    const longPress = event.pointerType === 'mouse' ? null : setTimeout(() => begin(), 280);
    function begin() {
      moving = holding = true;
      dragged = true;
      tile.classList.add('held');
      document.body.classList.add('k-moving');
    }
    function follow(e) {
      if (!moving) {
        const far = Math.hypot(e.clientX - from.x, e.clientY - from.y) > 6;
        if (!far) return;
        if (event.pointerType !== 'mouse') { stop(); return; }
        begin();
      }
      e.preventDefault();
      tile.style.transform = '';
      const all = [...tiles.querySelectorAll('.tile:not(.waiting)')];
      const nearest = all.map((node) => { const r = node.getBoundingClientRect(); return [Math.hypot(e.clientX - r.left - r.width / 2, e.clientY - r.top - r.height / 2), node]; }).sort((a, b) => a[0] - b[0])[0][1];
      if (nearest !== tile) {
        const forward = all.indexOf(nearest) > all.indexOf(tile);
        tiles.insertBefore(tile, forward ? nearest.nextSibling : nearest);
      }
      const box = tile.getBoundingClientRect();
      shift = { x: e.clientX - box.left - box.width / 2, y: e.clientY - box.top - box.height / 2 };
      tile.style.transform = `translate(${shift.x}px, ${shift.y}px) scale(1.04)`;
    }
    function hold(e) { if (moving) e.preventDefault(); }
    function stop() {
      clearTimeout(longPress);
      window.removeEventListener('pointermove', follow);
      window.removeEventListener('pointerup', stop);
      window.removeEventListener('pointercancel', stop);
      tiles.removeEventListener('touchmove', hold);
      tile.classList.remove('held');
      tile.style.transform = '';
      document.body.classList.remove('k-moving');
      if (moving) {
        holding = false;
        onMoved([...tiles.querySelectorAll('.tile:not(.waiting)')].map((node) => node.dataset.key), tile.dataset.key);
        setTimeout(() => { dragged = false; }, 0);
      }
    }
    window.addEventListener('pointermove', follow, { passive: false });
    window.addEventListener('pointerup', stop);
    window.addEventListener('pointercancel', stop);
    tiles.addEventListener('touchmove', hold, { passive: false });
  });
  tiles.addEventListener('dragstart', (event) => event.preventDefault());
  return { moved: () => dragged, holds: () => holding };
};
