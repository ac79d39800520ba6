// One soft tone and a word in the title, for who waits in another tab and does not see that somebody is
// there.

const title = document.title;

/** @param {boolean} here whether somebody is */
export function beckon(here) {
  const unseen = here && document.hidden;
  document.title = unseen ? "Somebody is here · EchoMingle" : title;
  if (unseen) chime();
}

addEventListener("visibilitychange", () => {
  if (!document.hidden) document.title = title;
});

function chime() {
  const context = new AudioContext();
  const volume = new GainNode(context, { gain: 0 });
  const tone = new OscillatorNode(context, { frequency: 660 });
  tone.connect(volume).connect(context.destination);
  const now = context.currentTime;
  // Swells and fades, so that it does not click.
  volume.gain.linearRampToValueAtTime(0.08, now + 0.05);
  volume.gain.exponentialRampToValueAtTime(0.001, now + 0.6);
  tone.frequency.setValueAtTime(880, now + 0.15);
  tone.onended = () => context.close();
  tone.start(now);
  tone.stop(now + 0.6);
}
