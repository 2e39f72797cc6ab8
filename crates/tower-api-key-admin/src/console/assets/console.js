// Adds comfort to pages that work without it: copying, countdowns, and forms that are sent once.
"use strict";

const announce = text => {
    const region = document.getElementById("announcements");
    if (region) region.textContent = text;
};

for (const button of document.querySelectorAll("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    if (!source) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(source.textContent);
            announce("Copied.");
            button.textContent = "Copied";
        } catch {
            // Without permission for the clipboard, the text is selected for the keyboard.
            getSelection().selectAllChildren(source);
            announce("The key is selected. Press the keys for copying.");
        }
    });
}

const remaining = until => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds <= 0) return "expired";
    const [days, hours, minutes] = [86400, 3600, 60].map(unit => Math.floor(seconds / unit));
    if (days > 0) return `${days} d ${hours % 24} h left`;
    if (hours > 0) return `${hours} h ${minutes % 60} min left`;
    return minutes > 0 ? `${minutes} min ${seconds % 60} s left` : `${seconds} s left`;
};

const countdowns = document.querySelectorAll("[data-until]");
const count = () => {
    for (const place of countdowns) place.textContent = remaining(Number(place.dataset.until) * 1000);
};
if (countdowns.length > 0) {
    count();
    setInterval(count, 1000);
}

for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", event => {
        if (form.dataset.sent) {
            event.preventDefault();
            return;
        }
        form.dataset.sent = "yes";
        form.querySelector("button:not([type=button])")?.setAttribute("aria-disabled", "true");
    });
}

// A page from the browser's memory can be sent again.
addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
        delete form.dataset.sent;
        form.querySelector("[aria-disabled]")?.removeAttribute("aria-disabled");
    }
});
