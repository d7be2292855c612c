// The search puts pages of the guide and the tutorials before those of the reference; the other numbers are Sphinx's own
var Scorer = {
  score: ([page, , , , score]) => score + (/^(guide\/|tutorials\/|files$|intended_use$)/.test(page) ? 20 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: {0: 15, 1: 5, 2: -5},
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
