/// The scripts that make a shell ask the executable what a word may become.
///
/// They know no command: what there is to type is asked of the executable that is installed, whatever its version.
public enum CompletionScript: String, CaseIterable, Sendable {
    /// GNU bash.
    case bash
    /// The Z shell.
    case zsh
    /// fish.
    case fish

    /// How to switch it on, in one line.
    public var installation: String {
        switch self {
        case .bash: "source <(farebox completion bash)"
        case .zsh: "source <(farebox completion zsh)"
        case .fish: "farebox completion fish > ~/.config/fish/completions/farebox.fish"
        }
    }

    /// The script.
    public var text: String {
        switch self {
        case .bash: Self.bashText
        case .zsh: Self.zshText
        case .fish: Self.fishText
        }
    }

    private static let bashText = #"""
        # Completion of farebox for bash: source <(farebox completion bash)
        _farebox() {
            local word=${COMP_WORDS[COMP_CWORD]} line
            local -a lines words=("${COMP_WORDS[@]:1:COMP_CWORD}")
            COMPREPLY=()
            # An equals sign is a word of its own to bash: --output = json is typed --output=json.
            if [[ $word == = ]]; then word=''; words[-1]=''; fi
            if ((${#words[@]} > 2)) && [[ ${words[-2]} == = ]]; then
                words=("${words[@]:0:${#words[@]}-2}" "$word")
            fi
            mapfile -t lines < <(command farebox __complete "${words[@]}" 2>/dev/null)
            ((${#lines[@]})) || return 0
            case ${lines[-1]} in
            :0) mapfile -t COMPREPLY < <(compgen -f -- "$word") && compopt -o filenames ;;
            :16) mapfile -t COMPREPLY < <(compgen -d -- "$word") && compopt -o filenames ;;
            esac
            unset 'lines[-1]'
            for line in "${lines[@]}"; do COMPREPLY+=("${line%%$'\t'*}"); done
        }
        complete -F _farebox farebox

        """#

    private static let zshText = #"""
        #compdef farebox
        # Completion of farebox for zsh: source <(farebox completion zsh)
        _farebox() {
            local -a lines candidates
            local line directive
            lines=("${(@f)$(command farebox __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
            (( $#lines )) || return 1
            directive=${lines[-1]}
            for line in "${(@)lines[1,-2]}"; do
                line=${line//:/\\:}
                candidates+=("${line/$'\t'/:}")
            done
            (( $#candidates )) && _describe -V 'farebox' candidates
            case $directive in
            :0) _files ;;
            :16) _files -/ ;;
            esac
        }
        # Sourced, it announces itself; as a file of $fpath it is the function.
        if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _farebox "$@"; else compdef _farebox farebox; fi

        """#

    private static let fishText = #"""
        # Completion of farebox for fish: farebox completion fish > ~/.config/fish/completions/farebox.fish
        function __farebox_complete
            set -l words (commandline -opc) (commandline -ct)
            set -l lines (command farebox __complete $words[2..-1] 2>/dev/null)
            test (count $lines) -gt 0; or return
            switch $lines[-1]
                case ':0'
                    __fish_complete_path (commandline -ct)
                case ':16'
                    __fish_complete_directories (commandline -ct)
            end
            test (count $lines) -gt 1; and printf '%s\n' $lines[1..-2]
        end
        complete -c farebox -f -a '(__farebox_complete)'

        """#
}
