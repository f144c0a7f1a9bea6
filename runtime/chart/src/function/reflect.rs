//! What a value is, and what stands in for it.

use super::{fixed, spread, text};
use crate::execute::{Function, Param};
use crate::value::Value;

const ANY: Param = Param::Any;
const TEXT: Param = Param::Text;

pub(super) fn functions() -> Vec<Function> {
    vec![
        spread("default", &[ANY], ANY, |_, args| {
            let given = args.get(1).filter(|given| given.truth());
            Ok(given.unwrap_or(&args[0]).clone())
        }),
        fixed("empty", &[ANY], |_, args| Ok(Value::Bool(!args[0].truth()))),
        spread("coalesce", &[], ANY, |_, args| {
            Ok(args.iter().find(|value| value.truth()).cloned().unwrap_or(Value::Nil))
        }),
        spread("all", &[], ANY, |_, args| Ok(Value::Bool(args.iter().all(Value::truth)))),
        spread("any", &[], ANY, |_, args| Ok(Value::Bool(args.iter().any(Value::truth)))),
        fixed("ternary", &[ANY, ANY, Param::Bool], |_, args| Ok(args[usize::from(!args[2].truth())].clone())),
        fixed("typeOf", &[ANY], |_, args| Ok(Value::text(go_type(&args[0])))),
        fixed("typeIs", &[TEXT, ANY], |_, args| Ok(Value::Bool(*text(args, 0) == *go_type(&args[1])))),
        fixed("typeIsLike", &[TEXT, ANY], |_, args| {
            let (wanted, found) = (text(args, 0), go_type(&args[1]));
            Ok(Value::Bool(*wanted == *found || found.strip_prefix('*') == Some(&*wanted)))
        }),
        fixed("kindOf", &[ANY], |_, args| Ok(Value::text(args[0].kind()))),
        fixed("kindIs", &[TEXT, ANY], |_, args| Ok(Value::Bool(*text(args, 0) == *args[1].kind()))),
        fixed("deepEqual", &[ANY, ANY], |_, args| Ok(Value::Bool(args[0].deep_equal(&args[1])))),
    ]
}

/// `%T`
fn go_type(value: &Value) -> &'static str {
    if value.is_nil() { "<nil>" } else { value.type_name() }
}
