watch('value', () => window.klingo.set('listAnswer', props.value || {}));
