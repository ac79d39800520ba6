// Many people share one small machine: what a page need not do for a scene is left out.

/** To be run on each new document of the page, before its own scripts. Nothing is drawn, and nothing is recorded
 * but the camera. */
export const sparesIt = () => {
  const { mediaDevices } = navigator;
  const ask = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (wanted) => {
    if (wanted?.audio) throw new DOMException("There is no microphone.", "NotFoundError");
    return ask(wanted);
  };
  setInterval(() => {
    for (const video of document.querySelectorAll("video")) video.style.visibility = "hidden";
  }, 100);
};
