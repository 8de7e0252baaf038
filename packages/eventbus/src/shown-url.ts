/** An address as it may stand in logs and errors: a user name and a password in it are for the broker alone. */
export function shownUrl(url: string): string {
  // In what is no URL the login may hold any character.
  return url.replace(URL.canParse(url) ? /\/\/[^/?#]*@/ : /\/\/.*@/s, '//');
}
