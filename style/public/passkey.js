// The passkey ceremonies in the browser: <form data-passkey="create|get" data-start="/…" data-finish="/…">.
//
// Submitting posts the form's fields as JSON to data-start, which answers {ceremony, publicKey}; the browser asks its
// authenticators; the fields, ceremony and credential go to data-finish, which answers {location}. Either may answer
// {location} early; finish may answer {submit: true}, and the form is sent to its own action; or either may say no
// with {error} or a problem's {detail}, which is shown in the form's [role=alert].
// With data-autostart the form submits itself when the page opens. Passwords and [data-secret] fields are never sent.
// All texts are the server's: data-text-{cancelled,registered,unsupported,insecure,address,offline,failed}.
// Load this file deferred or as a module.

(() => {
  'use strict';

  // One ceremony at a time: browsers refuse a second one, and a double click must not start it.
  let running = null;

  const base64url = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));

  // Browsers of before 2025 know the ceremonies, but not their JSON.
  const withBytes = (json) => {
    const named = (list) => list?.map((item) => ({ ...item, id: bytes(item.id) }));
    const options = { ...json, challenge: bytes(json.challenge) };
    if (json.user) options.user = { ...json.user, id: bytes(json.user.id) };
    if (json.excludeCredentials) options.excludeCredentials = named(json.excludeCredentials);
    if (json.allowCredentials) options.allowCredentials = named(json.allowCredentials);
    return options;
  };

  const withText = (credential) => {
    const response = {};
    for (const part of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
      if (credential.response[part]) response[part] = base64url(credential.response[part]);
    }
    const transports = credential.response.getTransports?.();
    if (transports) response.transports = transports;
    const { id, type } = credential;
    return { id, type, rawId: id, response, clientExtensionResults: credential.getClientExtensionResults() };
  };

  const ask = {
    create: (json) => navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON?.(json) ?? withBytes(json),
    }),
    get: (json) => navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON?.(json) ?? withBytes(json),
    }),
  };

  const fields = (form, submitter) => {
    const secret = (name) => [...form.querySelectorAll('[type=password], [data-secret]')].some((f) => f.name === name);
    const data = new FormData(form, submitter);
    const entry = (name) => [name, data.getAll(name).length > 1 ? data.getAll(name) : data.get(name)];
    return Object.fromEntries([...new Set(data.keys())].filter((name) => !secret(name)).map(entry));
  };

  // Why it ends here: words of the server, or a reason that a data-text- attribute has words for.
  const because = (reason, message = '') => Object.assign(new Error(message), { reason });

  const reasons = {
    AbortError: 'cancelled',
    ConstraintError: 'unsupported',
    InvalidStateError: 'registered',
    NotAllowedError: 'cancelled', // also a time-out: browsers do not tell pages which
    NotSupportedError: 'unsupported',
    SecurityError: 'address',
  };

  const words = ({ dataset }, { reason, message, name }) => {
    const key = reason ?? reasons[name] ?? 'failed';
    return (reason && message) || dataset[`text${key[0].toUpperCase()}${key.slice(1)}`] || dataset.textFailed || name;
  };

  const say = (form, text) => {
    const alert = form.querySelector('[role=alert]');
    if (alert) { alert.textContent = text; alert.hidden = text === ''; }
  };

  const own = (path) => {
    const url = new URL(path, location.href);
    if (url.origin !== location.origin || url.protocol !== location.protocol) throw because('failed');
    return url;
  };

  const post = async (path, body) => {
    const response = await fetch(own(path), {
      method: 'POST',
      credentials: 'same-origin',
      cache: 'no-store',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json, application/problem+json' },
      body: JSON.stringify(body),
    }).catch(() => { throw because('offline'); });
    if (response.redirected) return { location: response.url }; // such as to sign in, when the session ended
    const answer = (await response.json().catch(() => null)) ?? {};
    if (answer.error || !response.ok) throw because('failed', answer.error ?? answer.detail);
    return answer;
  };

  const perform = async (form, sent) => {
    if (!window.isSecureContext) throw because('insecure');
    if (!window.PublicKeyCredential || !navigator.credentials) throw because('unsupported');
    let answer = await post(form.dataset.start, sent);
    if (!answer.location) {
      const credential = await ask[form.dataset.passkey](answer.publicKey);
      const { ceremony } = answer;
      const told = credential.toJSON?.() ?? withText(credential);
      answer = await post(form.dataset.finish, { ...sent, ceremony, credential: told });
    }
    if (answer.submit) {
      HTMLFormElement.prototype.submit.call(form); // the form goes on as if there were no script
      return;
    }
    if (!answer.location) throw because('failed');
    location.assign(own(answer.location));
  };

  const busy = (form, is) => {
    for (const button of form.querySelectorAll('button:not([type=button]), input[type=submit]')) {
      button.disabled = is;
      if (is) button.setAttribute('aria-busy', 'true'); else button.removeAttribute('aria-busy');
    }
  };

  const run = async (form, submitter) => {
    if (running) return;
    running = form;
    say(form, '');
    const sent = fields(form, submitter); // before the button is disabled, and so left out
    busy(form, true);
    try {
      await perform(form, sent); // and stay busy until the next page is here
    } catch (error) {
      running = null;
      busy(form, false);
      if (document.activeElement === document.body) submitter?.focus(); // disabling took it away
      // Some browsers want a click before they ask: a form that started itself then just waits for it.
      const unasked = error.name === 'NotAllowedError' && navigator.userActivation?.hasBeenActive === false;
      if (!unasked) say(form, words(form, error));
    }
  };

  document.addEventListener('submit', (event) => {
    if (!event.target.matches('form[data-passkey]')) return;
    event.preventDefault();
    run(event.target, event.submitter);
  });
  window.addEventListener('pageshow', (event) => {
    // Back from the next page, as it was left: not busy any more.
    if (event.persisted && running) { busy(running, false); running = null; }
  });
  document.querySelector('form[data-passkey][data-autostart]')?.requestSubmit();
})();
