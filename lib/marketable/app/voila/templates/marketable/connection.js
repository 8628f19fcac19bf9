// Closes the page's kernel with the page, says so where the kernel has ended before it, and marks the main part.
(() => {
  const {baseUrl, kernelId} = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const gone = `${baseUrl}voila/api/shutdown/${kernelId}`;
  addEventListener("pagehide", () => { leaving = true; navigator.sendBeacon(gone); });
  addEventListener("pageshow", event => { if (event.persisted) location.reload(); });
  let leaving = false;

  const say = text => {
    if (leaving || document.querySelector(".app-lost")) return;
    const bar = document.createElement("div"), reload = document.createElement("button");
    bar.className = "app-lost";
    bar.setAttribute("role", "alert");
    bar.append(text, reload);
    reload.textContent = "Reload";
    reload.onclick = () => location.reload();
    document.querySelector("header").append(bar);
  };
  const check = async () => {
    try {
      const answer = await fetch(`${baseUrl}api/kernels/${kernelId}`, {cache: "no-store"});
      if (!answer.ok) say("This page was closed, for nobody used it for long, or something went wrong. Reload it to start afresh.");
    } catch {
      say("The connection is lost. Please reload the page.");
    }
  };
  new MutationObserver((_, observer) => {
    const main = document.getElementById("main");  // which Voila makes, and moves the cells into
    if (main) { main.setAttribute("role", "main"); observer.disconnect(); }
  }).observe(document.body, {childList: true});
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...its) {
      super(...its);
      this.addEventListener("close", () => setTimeout(check, 2000));
    }
  };
})();
