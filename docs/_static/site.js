// A button on each block of code that copies it; what a cell printed has none
document.addEventListener('DOMContentLoaded', () => {
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll('.bd-article div.highlight')) {
    if (block.closest('.cell_output')) continue;
    const button = Object.assign(document.createElement('button'), {className: 'copy', type: 'button', textContent: 'Copy'});
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(block.querySelector('pre').textContent.trimEnd());
      button.textContent = 'Copied';
      setTimeout(() => button.textContent = 'Copy', 1500);
    });
    block.append(button);
  }
});

// Names for what the theme leaves unnamed, or names otherwise than it reads
document.addEventListener('DOMContentLoaded', () => {
  for (const named of document.querySelectorAll('.search-button-field, details.hide > summary')) named.removeAttribute('aria-label');
  for (const summary of document.querySelectorAll('.bd-sidebar-primary summary'))
    summary.setAttribute('aria-label', `Pages of ${summary.closest('li').querySelector('a').textContent.trim()}`);
});
