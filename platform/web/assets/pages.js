/* What Dash's components cannot say by themselves: names of hidden inputs, and addresses without empty filters. */
document.addEventListener('submit', (event) => {
  // not form.elements, which an input of that name hides
  const empty = [...event.target.querySelectorAll('input, select, textarea')].filter((one) => one.name && one.value === '');
  empty.forEach((one) => { one.disabled = true; });
  window.setTimeout(() => empty.forEach((one) => { one.disabled = false; }), 0);
});

/* The button inside an upload opens it; its invisible input is named for those who read the page aloud. */
new MutationObserver(() => {
  document.querySelectorAll('.upload input[type="file"]:not([aria-label])').forEach((one) => {
    one.setAttribute('aria-label', one.closest('.upload').innerText.trim() || 'File');
    one.tabIndex = -1;
  });
}).observe(document, { childList: true, subtree: true });
