// A page that is the answer to a post keeps what was posted in its place in the history, and browsers write that to the
// disk to bring tabs back: values that were typed must not lie there. Where the page shows something this once, a reload
// leads to what was made and not to the form again: `data-address` says where that is.
history.replaceState(history.state, '', document.querySelector('script[data-address]')?.dataset.address ?? '');
