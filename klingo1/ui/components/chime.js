/* A chime, and a notification for who looks elsewhere: only for whoever asks. */
window.klingoChime = (() => {
  'use strict';
  let sound = null;
  /* Called by a click, without which a browser plays no sound. */
  async function allow() {
    try { sound = sound || new AudioContext(); await sound.resume(); } catch { /* silent */ }
    try { if (Notification.permission === 'default') await Notification.requestPermission(); } catch { /* not here */ }
  }
  function ring(title, body) {
    try {
      const tone = sound.createOscillator();
      const gain = sound.createGain();
      tone.frequency.setValueAtTime(660, sound.currentTime);
      tone.frequency.setValueAtTime(880, sound.currentTime + 0.16);
      gain.gain.setValueAtTime(0.12, sound.currentTime);
      gain.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.6);
      tone.connect(gain).connect(sound.destination);
      tone.start();
      tone.stop(sound.currentTime + 0.6);
    } catch { /* no sound here */ }
    try { if (document.hidden && Notification.permission === 'granted') new Notification(title, { body }); } catch { /* not here */ }
  }
  return { allow, ring };
})();
