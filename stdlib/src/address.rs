//! Where commands act that do not say so themselves: context and namespace, in the words of each program.
//!
//! Does not know what the commands do.

use runbook_core::command::Command;

/// What helm does without a cluster.
const AT_HOME: &[&str] = &["helm show", "helm repo", "helm pull", "helm template", "helm version"];

/// Where commands act.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// Context of the kubeconfig; the current one where absent.
    pub context: Option<String>,
    /// Namespace; the context's own where absent.
    pub namespace: Option<String>,
}

impl Address {
    /// The command with what it does not say itself.
    pub fn on(&self, command: Command) -> Command {
        let context = match command.program() {
            "kubectl" => "--context",
            "helm" if !AT_HOME.iter().any(|verb| command.verb().starts_with(verb)) => "--kube-context",
            _ => return command,
        };
        let command = self.context.iter().fold(command, |command, name| command.before_rest(context, name));
        if command.says("--all-namespaces") || command.verb().starts_with("kubectl config") {
            return command;
        }
        self.namespace.iter().fold(command, |command, name| command.before_rest("--namespace", name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_where_it_acts_unless_it_does_already_or_acts_nowhere() {
        let address = Address { context: Some("prod".to_owned()), namespace: Some("shop".to_owned()) };
        let on = |command: Command| address.on(command).line();
        let exec = Command::new("kubectl exec").word("web").word("--").word("ls");
        assert_eq!(on(exec), "kubectl exec web --context prod --namespace shop -- ls");
        let list = Command::new("kubectl get").word("pods").word("--all-namespaces");
        assert_eq!(on(list), "kubectl get pods --all-namespaces --context prod");
        let own = Command::new("helm status").word("istiod").word("--namespace").word("istio-system");
        assert_eq!(on(own), "helm status istiod --namespace istio-system --kube-context prod");
        assert_eq!(on(Command::new("helm show chart").word("x")), "helm show chart x");
        assert_eq!(on(Command::new("sleep").word("5")), "sleep 5");
    }
}
