// Marp's settings. No picture of an emoji is fetched from anywhere, and a link in a text stays a text.
export default {
  options: { markdown: { linkify: false }, emoji: { unicode: false, shortcode: false }, math: false,
    script: { source: 'inline' } },
  allowLocalFiles: false,
}
