// The only script: copies what a button stands beside. Without it everything can still be selected.
"use strict";
for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  const label = button.firstElementChild;
  const before = label.textContent;
  button.addEventListener("click", async () => {
    const text = button.dataset.copy ?? button.parentElement.querySelector("pre").textContent;
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Select and copy it by hand";
    }
    document.getElementById("said").textContent = label.textContent;
    setTimeout(() => { label.textContent = before; }, 2000);
  });
}
