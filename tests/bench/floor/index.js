// The floor: what a relay costs that only pairs and passes on, as tight as JavaScript goes. It checks
// nothing, so nobody may put it on the net; what the Worker costs beyond it is the price of its rules.

/** The next to come meets whoever waits. */
export class Floor {
  /** @type {Map<WebSocket, WebSocket>} */
  #partners = new Map();
  /** @type {WebSocket | undefined} */
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
    else this.#pair(socket);
  }

  /** @param {WebSocket} socket */
  #pair(socket) {
    const other = this.#waiting;
    if (!other) {
      this.#waiting = socket;
      socket.send('{"type":"waiting"}');
      return;
    }
    this.#waiting = undefined;
    this.#partners.set(socket, other).set(other, socket);
    for (const one of [other, socket]) one.send('{"type":"peer-joined"}');
  }

  /** @param {WebSocket} socket @param {number} code */
  webSocketClose(socket, code) {
    const partner = this.#partners.get(socket);
    if (partner) this.#partners.delete(partner);
    this.#partners.delete(socket);
    if (this.#waiting === socket) this.#waiting = undefined;
    socket.close(code);
  }
}

export default {
  /** @param {Request} request @param {{ LOBBY: DurableObjectNamespace }} env */
  fetch(request, env) {
    return env.LOBBY.get(env.LOBBY.idFromName("global")).fetch(request);
  },
};
