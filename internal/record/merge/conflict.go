package merge

// maxShownSiblings is how many values an answer to a POST lists of a conflict.
const maxShownSiblings = 20
