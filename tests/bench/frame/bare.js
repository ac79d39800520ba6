// The bare page: as little between a click and the first frame as a page can have. Everything is prepared
// before the click: the camera, a socket, a connection that has made its offer with all candidates in it,
// and another one to answer with.
//
// It does not show one's own picture, has no chat, no states, no ICE servers, no limits of bandwidth, no
// negotiation after the first, and no way back after anything that went wrong.

const signaling = new URLSearchParams(location.search).get("signaling") ?? "";
const remote = /** @type {HTMLVideoElement} */ (document.querySelector("video"));

// The same as pages/media.js asks for.
const camera = await navigator.mediaDevices.getUserMedia({
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: { width: { ideal: 1280 }, height: { ideal: 720 } },
});

/** One call, from before it is wanted. */
class Call {
  socket = new WebSocket(signaling);
  /** The one that waits offers. */
  offering = connect();
  /** Who comes answers. */
  answering = connect();
  used = this.offering;

  constructor() {
    this.prepared = prepare(this.offering);
    this.socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
  }

  async find() {
    const offer = await this.prepared;
    this.socket.send(JSON.stringify({ type: "find", offer }));
  }

  /** @param {any} message */
  async hear({ role, peer, answer, candidates }) {
    if (role === "answerer") {
      this.used = this.answering;
      await this.used.setRemoteDescription({ type: "offer", sdp: peer.offer });
      await this.used.setLocalDescription();
      this.socket.send(JSON.stringify({ answer: this.used.localDescription?.sdp }));
      this.socket.send(JSON.stringify({ candidates: await gathered(this.used) }));
    } else if (answer) {
      await this.used.setRemoteDescription({ type: "answer", sdp: answer });
    } else if (candidates) {
      for (const candidate of candidates) this.used.addIceCandidate(candidate);
    }
  }

  end() {
    this.socket.close();
    this.offering.close();
    this.answering.close();
  }
}

function connect() {
  const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const track of camera.getTracks()) connection.addTrack(track, camera);
  connection.ontrack = ({ streams: [stream] }) => {
    if (remote.srcObject !== stream) remote.srcObject = stream ?? null;
  };
  return connection;
}

/** @param {RTCPeerConnection} connection */
async function prepare(connection) {
  const all = gathered(connection);
  await connection.setLocalDescription();
  await all;
  return connection.localDescription?.sdp;
}

/**
 * @param {RTCPeerConnection} connection
 * @returns {Promise<RTCIceCandidate[]>} all candidates, once there are no more
 */
function gathered(connection) {
  return new Promise((resolve) => {
    /** @type {RTCIceCandidate[]} */
    const all = [];
    connection.onicecandidate = ({ candidate }) => {
      if (candidate) all.push(candidate);
      else resolve(all);
    };
  });
}

/** @type {Call | undefined} */
let call;
let next = new Call();

function find() {
  call?.end();
  call = next;
  call.find();
}

// The next one is prepared once this one is seen.
remote.onloadeddata = () => {
  next = new Call();
};
for (const button of document.querySelectorAll("button")) button.onclick = find;
