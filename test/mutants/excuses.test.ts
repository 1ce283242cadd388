import { expect, test } from 'vitest'
import { excusesOf } from '../../harness/mutation.ts'

const source = `# (unseen: about nothing, for a blank line follows.)

# [cdn-freshness] For two reasons (equivalent: Varnish does
# so by itself).
if (a) {
    first; # (unseen: nobody sends it)
    second;
    # Without the words, (as here), it is no reason; nor is (unseen) alone.
    third; // (equivalent: slashes, too)
    set x = "#"; # (unseen: behind a string)
    fourth; # (unseen: as above)
}
`

test('a comment says of the line that it stands at why no row can notice it', () => {
  expect(excusesOf(source)).toEqual(
    new Map([
      [5, { kind: 'equivalent', because: 'Varnish does so by itself' }],
      [6, { kind: 'unseen', because: 'nobody sends it' }],
      [9, { kind: 'equivalent', because: 'slashes, too' }],
      [10, { kind: 'unseen', because: 'behind a string' }],
      [11, { kind: 'unseen', because: 'behind a string' }],
    ]),
  )
})
