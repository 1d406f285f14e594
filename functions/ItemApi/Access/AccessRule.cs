using Failover.ItemApi.Answers;

namespace Failover.ItemApi.Access;

/// <summary>What a caller needs for a route.</summary>
internal enum AccessKind
{
    /// <summary>Nothing.</summary>
    Public,

    /// <summary>The scope to read.</summary>
    Read,

    /// <summary>The scope to write.</summary>
    Write,
}

/// <summary>Who may do what.</summary>
/// <param name="isOff">Everybody may do everything.</param>
internal sealed class AccessRule(bool isOff, string readScope, string writeScope)
{
    /// <summary>Whether a route wants to know who calls.</summary>
    public bool Asks(AccessKind access) => access != AccessKind.Public && !isOff;

    /// <summary>The scope that a caller needs.</summary>
    public string ScopeFor(AccessKind access) => access == AccessKind.Write ? writeScope : readScope;

    /// <summary>Why a caller may not; null if he may.</summary>
    /// <param name="caller">Null: nobody has said who he is.</param>
    public Problem? Check(AccessKind access, Caller? caller)
    {
        if (!Asks(access))
        {
            return null;
        }

        var scope = ScopeFor(access);
        return caller is null
            ? new Problem(ProblemKind.Unauthenticated, "Send a bearer token that is valid here: 'Authorization: Bearer ...'.") { Headers = [("WWW-Authenticate", "Bearer")] }
            : caller.Scopes.Contains(scope) ? null
            : new Problem(ProblemKind.InsufficientScope, $"This needs the scope '{scope}'.") { Headers = [("WWW-Authenticate", $"Bearer error=\"insufficient_scope\", scope=\"{scope}\"")] };
    }
}
