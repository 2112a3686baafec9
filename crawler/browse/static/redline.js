// Comfort only: times in the reader's own zone, with UTC kept in the tooltip. Without this every page reads as well.
"use strict";

(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || zone === "UTC") return;
  const full = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
  for (const time of document.querySelectorAll("time[datetime*=T]")) {
    const when = new Date(time.dateTime);
    const said = time.textContent;
    // A bare time stands behind the day of its interval, in UTC: the local day is said where it is another.
    const isBare = /^\d\d:\d\d$/.test(said);
    const isSameDay = isBare && when.getDate() === when.getUTCDate();
    time.textContent = isBare ? (isSameDay ? "" : day.format(when) + ", ") + clock.format(when) : full.format(when);
    time.title = said + " UTC";
  }
  const foot = document.getElementById("zone");
  if (foot) foot.textContent = foot.textContent.replace("Times are UTC.", "Times are those of " + zone + "; point at one for UTC.");
})();
