/** What the Worker reads of its configuration (src/shell/bindings.rs); docs/configuration.md says what each is. */

export const variables = [
  "ALLOWED_ORIGINS",
  "HIDE_ADDRESS",
  "LOBBY_BUDGET",
  "LOG_SAMPLING",
  "METERED_API",
  "METERED_API_KEY",
  "METERED_APP",
  "METERED_SECRET_KEY",
  "ROOM_CAPACITY",
  "STUN_URLS",
  "TURNSTILE_API",
  "TURNSTILE_SECRET",
  "TURNSTILE_SITE_KEY",
  "TURN_API",
  "TURN_KEY_API_TOKEN",
  "TURN_KEY_ID",
  "TURN_SECRET",
  "TURN_URLS",
];
