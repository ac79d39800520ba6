// The floor: what a relay costs that only pairs and passes on, as tight as JavaScript goes. It checks
// nothing, so nobody may put it on the net; what the Worker costs beyond it is the price of its rules.
//
// The first text of a socket is JSON and asks for a partner, who is handed it as it is: whatever was
// prepared may be in it. All others go to the partner.

/** The next to come meets whoever waits. */
export class Floor {
  /** @type {Map<WebSocket, WebSocket>} */
  #partners = new Map();
  /** @type {{ socket: WebSocket, text: string } | undefined} */
  #waiting;

  /** @param {DurableObjectState} state */
  constructor(state) {
    this.state = state;
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.state.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** @param {WebSocket} socket @param {string} text */
  webSocketMessage(socket, text) {
    const partner = this.#partners.get(socket);
    if (partner) partner.send(text);
    else this.#pair(socket, text);
  }

  /** @param {WebSocket} socket @param {string} text */
  #pair(socket, text) {
    const other = this.#waiting;
    if (!other) {
      this.#waiting = { socket, text };
      socket.send('{"type":"waiting"}');
      return;
    }
    this.#waiting = undefined;
    this.#partners.set(socket, other.socket).set(other.socket, socket);
    socket.send(`{"type":"peer-joined","role":"answerer","peer":${other.text}}`);
    other.socket.send(`{"type":"peer-joined","role":"offerer","peer":${text}}`);
  }

  /** @param {WebSocket} socket @param {number} code */
  webSocketClose(socket, code) {
    const partner = this.#partners.get(socket);
    if (partner) this.#partners.delete(partner);
    this.#partners.delete(socket);
    if (this.#waiting?.socket === socket) this.#waiting = undefined;
    socket.close(code);
  }
}

export default {
  /** @param {Request} request @param {{ LOBBY: DurableObjectNamespace }} env */
  fetch(request, env) {
    return env.LOBBY.get(env.LOBBY.idFromName("global")).fetch(request);
  },
};
