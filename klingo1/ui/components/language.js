/* The page's words in the reader's language. A sentence stands in the code in English, as t`…`; its Chinese stands in chinese.toml, where
   {0}, {1} hold the places of what changes in it, and comes along with Gradio's own words (gr.I18n). What people wrote only ever fills a place. */
window.klingoLanguage = (() => {
  'use strict';
  const asked = navigator.language || '';
  const chinese = /^zh\b/i.test(asked) && !/^zh-(TW|HK|MO|Hant)/i.test(asked);
  const table = () => (chinese && window.gradio_config && (window.gradio_config.i18n_translations || {})['zh-CN']) || {};
  const fill = (form, values) => form.replace(/\{(\d)\}/g, (place, number) => values[number]);

  function t(parts, ...values) {
    const key = parts.reduce((text, part, i) => `${text}{${i - 1}}${part}`);
    return fill(table()[key] || key, values);
  }

  /* A sentence that the server wrote: it arrives with its places filled, so the form it was made from is looked up. */
  let forms = null;
  const letters = (key) => key.replace(/\{\d\}|[^a-z]/gi, '').length;
  function said(text) {
    const words = table();
    if (!chinese || typeof text !== 'string' || !text) return text || '';
    if (Object.hasOwn(words, text)) return words[text];
    forms = forms || Object.keys(words).filter((key) => /\{0\}/.test(key) && letters(key) > 3).sort((a, b) => letters(b) - letters(a))
      .map((key) => [new RegExp(`^${key.split(/\{\d\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('((?:(?![.!?] [A-Z]).)+?)')}$`, 's'), words[key]]);
    for (const [form, own] of forms) {
      const found = text.match(form);
      if (found) return fill(own, found.slice(1).map(said));
    }
    const several = text.split(/(?<=[.!?]) (?=[A-Z])/);
    return several.length > 1 ? several.map(said).join('') : text;
  }
  /* Sentences of the server, one after the other. */
  const sentences = (...texts) => texts.filter(Boolean).map(said).join(chinese ? '' : ' ');

  /* An element's template, before anything else is put into it. */
  function exchange(root) {
    if (!chinese) return;
    const words = table();
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const bare = texts.currentNode.data.trim();
      if (words[bare]) texts.currentNode.data = texts.currentNode.data.replace(bare, () => words[bare]);
    }
    for (const name of ['aria-label', 'title', 'placeholder']) {
      for (const node of root.querySelectorAll(`[${name}]`)) node.setAttribute(name, words[node.getAttribute(name)] || node.getAttribute(name));
    }
  }
  if (chinese) document.documentElement.lang = 'zh-CN';
  return { t, said, sentences, exchange, locale: chinese ? 'zh-CN' : undefined };
})();
