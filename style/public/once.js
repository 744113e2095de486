// A form is sent once. A browser that is told to send one again drops the answer that it waits for, be it the only page that
// will ever show a new key, and shows what the second post is told: that this was done already. Nothing is disabled, since
// a button's name and value go along. A form can be sent again when its page is shown again, when something in it is changed,
// when its answer was stopped, and where no page came: the answer is a file (`data-answer="file"`), or there was none in the
// longest time that the server may give a request.

const waiting = new Map();

const free = (form) => {
  const { button, timers } = waiting.get(form);
  waiting.delete(form);
  timers.forEach((timer) => clearTimeout(timer));
  button?.removeAttribute('aria-busy');
};

// At the window, behind whoever sends a form in another way (passkey.js).
addEventListener('submit', (event) => {
  const { submitter, target: form } = event;
  if (event.defaultPrevented || !form.matches('[method="post"]')) {
    return;
  }
  if (waiting.has(form)) {
    event.preventDefault();
    return;
  }
  const most = form.dataset.answer === 'file' ? 3_000 : 60_000;
  const timers = [
    setTimeout(() => submitter?.setAttribute('aria-busy', 'true'), 1_000),
    setTimeout(() => free(form), most),
  ];
  waiting.set(form, { button: submitter, timers });
});

// It is not what was sent any more: whoever stopped the answer to mend something sends it again.
addEventListener('input', ({ target }) => waiting.has(target.form) && free(target.form));

// Back from the next page, as it was left.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) {
    [...waiting.keys()].forEach((form) => free(form));
  }
});

// Whoever stopped the answer drops it knowingly. Of browsers that do not tell, Escape is what stops it. A file is no page that
// they wait for.
const stopped = () => {
  [...waiting.keys()].filter((form) => form.dataset.answer !== 'file').forEach((form) => free(form));
};
if ('navigation' in window) {
  navigation.addEventListener('navigateerror', stopped);
} else {
  addEventListener('keydown', ({ key }) => key === 'Escape' && stopped());
}
