/** Own words for the parser's mistakes: its own messages may quote the file. */
const WORDS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (*name) cannot have an anchor or a tag',
  BAD_ALIAS: 'there is a faulty alias (*name)',
  BAD_COLLECTION_TYPE: 'a tag does not fit its value',
  BAD_DIRECTIVE: 'there is a faulty % directive',
  BAD_DQ_ESCAPE: 'there is a faulty backslash sequence inside double quotes',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'an anchor or a tag stands at the wrong place',
  BAD_SCALAR_START: 'a value cannot begin with this character; put it into quotes',
  BLOCK_AS_IMPLICIT_KEY: 'there is a second ": " on the line, or a value begins where none can; put the value into quotes',
  BLOCK_IN_FLOW: 'lines by indentation cannot stand inside brackets',
  COMMENT_SPACE: 'a comment needs a blank before its #',
  MISSING_CHAR: 'something is missing, such as a closing quote, a bracket, a comma, or the blank after a colon',
  MULTILINE_IMPLICIT_KEY: 'a key has to end on its line; is there a colon (and a blank after it) missing?',
  MULTIPLE_ANCHORS: 'a value can have only one anchor',
  MULTIPLE_TAGS: 'a value can have only one tag',
  NON_STRING_KEY: 'a key is no text',
  TAB_AS_INDENT: 'indentation is made of blanks, not of tabs',
  UNEXPECTED_TOKEN: 'there is something that does not belong here',
};

export function syntaxWords(code: string): string {
  return `is not valid YAML: ${WORDS[code] ?? 'there is something that does not belong here'}`;
}
