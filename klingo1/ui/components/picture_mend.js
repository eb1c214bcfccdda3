/* Pictures that the service would refuse: why, and for their measures, made to fit in the browser: cropped, bordered, enlarged or saved smaller.
   Nothing is chosen for anybody: each way comes with its own preview. */
window.klingoMend = (() => {
  'use strict';
  const { t } = window.klingoLanguage;
  const facts = window.klingoFacts;
  const TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif'];
  const RATIO = 2;
  const SIDE = 4096;
  const SAMPLE = 96;

  const megabytes = (bytes) => `${(bytes / 1048576).toFixed(1)} MB`;
  function measure(url) {
    return new Promise((resolve) => {
      const img = new Image();
      img.onload = () => resolve([img.naturalWidth, img.naturalHeight]);
      img.onerror = () => resolve(null);
      img.src = url;
    });
  }
  /* What is wrong with a file that was given: "", a sentence, or `{fit, text}` when `ways` can make it fit. `url` shows the file. */
  async function fault(file, url) {
    if (!TYPES.includes(file.type)) return t`is not a picture that can be used. Save it as JPG or PNG.`;
    if (file.size === 0) return t`is an empty file. Save it once more.`;
    if (file.size > facts.bytesMax) return { fit: true, text: t`has ${megabytes(file.size)}; the limit is ${megabytes(facts.bytesMax)}. Save it smaller.` };
    const size = await measure(url);
    if (!size) return t`cannot be read as a picture; it may be damaged. Save it once more.`;
    const [w, tall] = size;
    if (Math.min(w, tall) < facts.sideMin) return { fit: true, text: t`is ${w} × ${tall} px; each side needs at least ${facts.sideMin} px. Use a larger one.` };
    if (Math.max(w, tall) > facts.ratioMax * Math.min(w, tall)) return { fit: true, text: t`is too long and narrow (${w} × ${tall}); at most ${facts.ratioMax} to 1. Crop it.` };
    return '';
  }

  const canvasOf = (width, height) => Object.assign(document.createElement('canvas'), { width: Math.round(width), height: Math.round(height) });
  function pixelsOf(image, width, height) {
    const pen = canvasOf(width, height).getContext('2d', { willReadFrequently: true });
    pen.drawImage(image, 0, 0, width, height);
    return pen.getImageData(0, 0, width, height).data;
  }
  /* Where most happens along the longer side: the part with the sharpest changes, the middle when nothing stands out. */
  function busiest(image, wide, share) {
    const [w, tall] = wide ? [SAMPLE, 32] : [32, SAMPLE];
    const data = pixelsOf(image, w, tall);
    const grey = (x, y) => { const i = (y * w + x) * 4; return (data[i] + data[i + 1] + data[i + 2]) * (data[i + 3] / 255); };
    const changes = Array.from({ length: SAMPLE }, (_, at) => {
      let sum = 0;
      for (let other = 1; other < 31; other += 1) {
        const [x, y] = wide ? [Math.min(at, w - 2), other] : [other, Math.min(at, tall - 2)];
        sum += Math.abs(grey(x, y) - grey(x + 1, y)) + Math.abs(grey(x, y) - grey(x, y + 1));
      }
      return sum;
    });
    const span = Math.max(1, Math.round(SAMPLE * share));
    let best = [-1, 0];
    for (let from = 0; from + span <= SAMPLE; from += 1) {
      const middle = 1 - Math.abs(from + span / 2 - SAMPLE / 2) / SAMPLE;
      const sum = changes.slice(from, from + span).reduce((a, b) => a + b, 0) * (0.85 + 0.15 * middle);
      if (sum > best[0]) best = [sum, from];
    }
    /* What stands out there comes into the middle, as far as the picture goes. */
    const there = changes.slice(best[1], best[1] + span);
    const all = there.reduce((a, b) => a + b, 0) || 1;
    const centre = best[1] + there.reduce((sum, change, i) => sum + change * (i + 0.5), 0) / all;
    return Math.max(0, Math.min(SAMPLE - span, centre - span / 2)) / SAMPLE;
  }
  function cropped(image) {
    const { width: w, height: tall } = image;
    const wide = w > tall;
    const long = RATIO * Math.min(w, tall);
    const from = busiest(image, wide, long / Math.max(w, tall)) * Math.max(w, tall);
    const canvas = wide ? canvasOf(long, tall) : canvasOf(w, long);
    canvas.getContext('2d').drawImage(image, wide ? -from : 0, wide ? 0 : -from);
    return canvas;
  }
  function bordered(image, clear) {
    const { width: w, height: tall } = image;
    const canvas = w > tall ? canvasOf(w, w / RATIO) : canvasOf(tall / RATIO, tall);
    const pen = canvas.getContext('2d');
    if (!clear) {  /* its own colours, drawn so small that nothing but colours is left */
      const soft = canvasOf(8, 8);
      soft.getContext('2d').drawImage(image, 0, 0, 8, 8);
      pen.imageSmoothingQuality = 'high';
      pen.drawImage(soft, 0, 0, canvas.width, canvas.height);
    }
    pen.drawImage(image, (canvas.width - w) / 2, (canvas.height - tall) / 2);
    return canvas;
  }
  /* No side too short, none longer than is ever sent. */
  function fitted(image) {
    const { width: w, height: tall } = image;
    const scale = Math.min(w, tall) < facts.sideMin ? facts.sideMin / Math.min(w, tall) : Math.min(1, SIDE / Math.max(w, tall));
    const canvas = canvasOf(Math.ceil(w * scale), Math.ceil(tall * scale));
    const pen = canvas.getContext('2d');
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  }
  /* [{label, file, url, size}]: the ways in which a picture can be made to fit; none when it cannot be read. */
  async function ways(file) {
    let image;
    try { image = await createImageBitmap(file); } catch { return []; }
    const { width: w, height: tall } = image;
    const clear = pixelsOf(image, 24, 24).some((value, i) => i % 4 === 3 && value < 250);
    const long = Math.max(w, tall) > RATIO * Math.min(w, tall);
    const found = long ? [[t`Crop around the subject`, cropped(image)], [t`Add borders`, bordered(image, clear)]]
      : [[Math.min(w, tall) < facts.sideMin ? t`Enlarge it` : t`Save it smaller`, image]];
    const type = clear ? 'image/png' : 'image/jpeg';
    const name = (file.name || 'picture').replace(/\.\w+$/, '') + (clear ? '.png' : '.jpg');
    return Promise.all(found.map(async ([label, drawn]) => {
      const canvas = fitted(drawn);
      const blob = await new Promise((done) => { canvas.toBlob(done, type, 0.92); });
      return { label, file: new File([blob], name, { type }), url: URL.createObjectURL(blob), size: `${canvas.width} × ${canvas.height}` };
    }));
  }
  return { TYPES, fault, ways };
})();
