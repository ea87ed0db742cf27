//! Roles and their order.

use serde::{Deserialize, Serialize};

use crate::ids::{RoleId, UserId};
use crate::permissions::Permissions;

/// What a role is like. `None` leaves a field as it is, or at its default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RolePatch {
    /// A clean name.
    pub name: Option<String>,
    /// 0xRRGGBB.
    pub color: Option<u32>,
    /// Shown apart in the member list.
    pub hoist: Option<bool>,
    /// What its holders may do.
    pub permissions: Option<Permissions>,
    /// Whether everybody may mention it.
    pub mentionable: Option<bool>,
}

/// Makes a role, just above `@everyone`; it can allow only what the asker may.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateRole {
    /// Who asks.
    pub by: UserId,
    /// What it is like.
    pub patch: RolePatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Changes a role below the asker's highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateRole {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub role: RoleId,
    /// What changes.
    pub patch: RolePatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Changes the order of roles below the asker's highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MoveRoles {
    /// Who asks.
    pub by: UserId,
    /// Roles with their new place.
    pub positions: Vec<(RoleId, u32)>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Removes a role below the asker's highest, and takes it from everybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteRole {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub role: RoleId,
    /// Why, for the audit log.
    pub reason: Option<String>,
}
