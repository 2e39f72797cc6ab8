//! Names that stand in a file for the values of a type.

/// Defines the names of a type's values, and translates both ways.
macro_rules! names {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident of $value:ident {
            $($(#[$note:meta])* $variant:ident,)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        $visibility enum $name {
            $($(#[$note])* $variant,)*
        }

        impl $name {
            /// Returns the value of the name.
            $visibility const fn describe(self) -> $value {
                match self {
                    $(Self::$variant => $value::$variant,)*
                }
            }

            /// Returns the name of a value.
            $visibility const fn of(value: $value) -> Self {
                match value {
                    $($value::$variant => Self::$variant,)*
                }
            }
        }
    };
}

pub(super) use names;
