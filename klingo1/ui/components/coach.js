watch('value', () => window.klingo.set('notes', props.value || {}));
