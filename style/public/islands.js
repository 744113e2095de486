// Starts the islands of a page. Those in an element with `data-wake` sleep until somebody reaches for them: the
// palette until ⌘K or its button, the clock until the page has been open for a minute. Where the browser side
// does not load (blocked, refused, too old), pages stay as the server drew them.

const root = document.documentElement;
const script = document.querySelector('script[data-islands]').dataset.islands;
const asleep = (island) => island.closest('[data-wake]');
let loading;

const load = () =>
  (loading ??= import(script).then(async (module) => {
    await module.default();
    module.hydrate();
    return module;
  }));

const start = async (islands) => {
  try {
    const module = await load();
    for (const island of islands) {
      module[island.dataset.component]?.(island);
    }
    root.dataset.islands = 'started';
    return true;
  } catch {
    root.dataset.islands = 'missing';
    return false;
  }
};

const wake = async (name) => {
  const bed = document.querySelector(`[data-wake="${name}"]`);
  if (!bed) {
    return false;
  }
  delete bed.dataset.wake;
  return start(bed.querySelectorAll('leptos-island'));
};

const all = [...document.querySelectorAll('leptos-island')];
const atOnce = all.filter((island) => !asleep(island));
if (atOnce.length > 0) {
  (window.requestIdleCallback ?? setTimeout)(() => start(atOnce));
}

const bed = document.querySelector('[data-wake="palette"]');
const openPalette = async (event) => {
  event.preventDefault();
  removeEventListener('keydown', onKey);
  bed.removeEventListener('click', openPalette);
  if (await wake('palette')) {
    bed.querySelector('button').click();
  }
};
const onKey = (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    openPalette(event);
  }
};
if (bed) {
  addEventListener('keydown', onKey);
  bed.addEventListener('click', openPalette);
}

setTimeout(() => wake('clock'), 60_000);
root.dataset.loader = '';
