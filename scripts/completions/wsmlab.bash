
# Added to what the program generates. bash takes = for the end of a word: of a value of --set only what stands behind it is
# completed. After a key or a map no space is wanted.
_wsmlab_words() {
    local -i at=COMP_CWORD
    [[ ${COMP_WORDS[at]} == = ]] || at=at-1
    if [[ $at -ge 3 && ${COMP_WORDS[at]} == = && ${COMP_WORDS[at - 2]} == --set ]]; then
        local key=${COMP_WORDS[at - 1]} value=
        [[ $at -lt $COMP_CWORD ]] && value=${COMP_WORDS[COMP_CWORD]}
        local typed=$key=$value
        COMPREPLY=()
        local candidate
        while IFS= read -r candidate; do
            [[ $candidate == "$typed"* ]] && COMPREPLY+=("${candidate#"$key="}")
        done < <("${COMP_WORDS[0]}" ---completion run -- --set 0 "${#typed}" "$typed" 2>/dev/null)
        return
    fi
    _wsmlab "$@"
    [[ ${#COMPREPLY[@]} -gt 0 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
    return 0
}
complete -o filenames -F _wsmlab_words wsmlab
