/* editor.js - the editor: CodeMirror, with what C needs, and the compiler's words at their lines. */
import { EditorView, keymap, lineNumbers, highlightActiveLine, drawSelection } from '@codemirror/view'
import { EditorState } from '@codemirror/state'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { indentUnit, bracketMatching, indentOnInput, syntaxHighlighting, HighlightStyle } from '@codemirror/language'
import { lintGutter, setDiagnostics, lintKeymap } from '@codemirror/lint'
import { cpp } from '@codemirror/lang-cpp'
import { tags } from '@lezer/highlight'

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.modifier, tags.typeName], color: 'var(--word)' },
  { tag: [tags.string, tags.character], color: 'var(--text)' },
  { tag: tags.comment, color: 'var(--note)' },
  { tag: tags.number, color: 'var(--number)' },
])
const theme = EditorView.theme({
  '&': { backgroundColor: 'var(--paper)', color: 'var(--ink)' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--soft)', color: 'var(--dim)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'transparent' },
  '.cm-tooltip': { backgroundColor: 'var(--soft)', color: 'var(--ink)', border: '1px solid var(--line)' },
})

export class Editor {
  /* changed(text): after each key; grade(): Ctrl+Enter. */
  constructor(parent, changed, grade) {
    this.extensions = [lineNumbers(), history(), drawSelection(), highlightActiveLine(), indentOnInput(),
      bracketMatching(), EditorView.lineWrapping, cpp(), indentUnit.of('    '), syntaxHighlighting(colours), theme,
      lintGutter(),
      keymap.of([{ key: 'Mod-Enter', run: () => (grade(), true) }, indentWithTab, ...defaultKeymap, ...historyKeymap,
        ...lintKeymap]),
      EditorView.contentAttributes.of({ 'aria-label': 'the C file' }),
      EditorView.updateListener.of(update => { if (update.docChanged) changed(this.text) })]
    this.view = new EditorView({ parent })
  }

  get text() { return this.view.state.doc.toString() }

  open(text) { this.view.setState(EditorState.create({ doc: text, extensions: this.extensions })) }

  /* As if all of it had been typed. */
  write(text) { this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } }) }

  /* [{line, column, severity, message}], columns from 1, as compilers count. */
  mark(faults) {
    const { doc } = this.view.state
    const marks = faults.filter(one => one.line <= doc.lines).map(({ line, column, severity, message }) => {
      const { from, to } = doc.line(line), at = Math.min(from + column - 1, to)
      return { from: at, to: Math.max(at, Math.min(at + 1, to)), severity, message }
    })
    this.view.dispatch(setDiagnostics(this.view.state, marks))
  }

  goTo(line) {
    const { from } = this.view.state.doc.line(Math.min(line, this.view.state.doc.lines))
    this.view.dispatch({ selection: { anchor: from }, scrollIntoView: true })
  }
}
