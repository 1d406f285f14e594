using System.Security.Claims;

namespace Failover.ItemApi.Access;

/// <summary>Who calls, by claims that somebody has verified.</summary>
/// <param name="Subject">Whose idempotency keys these are.</param>
internal sealed record Caller(string Subject, IReadOnlySet<string> Scopes)
{
    private static readonly HashSet<string> NoScopes = [];

    /// <summary>Where everybody may do everything, by an explicit setting.</summary>
    public static Caller Anyone { get; } = new("", NoScopes);

    /// <summary>
    /// The caller of a token's claims; null where there is no subject or client. Only claims count: an identity that says that it is authenticated may have none
    /// (Lambda's server makes one for every kind of authorizer).
    /// </summary>
    public static Caller? Of(IEnumerable<Claim> claims)
    {
        string? subject = null, client = null, issuer = null;
        var scopes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var claim in claims)
        {
            switch (claim.Type)
            {
                case "sub":
                    subject = claim.Value;
                    break;
                case "client_id" or "azp":
                    client = claim.Value;
                    break;
                case "iss":
                    issuer = claim.Value;
                    break;
                // API Gateway gives a list as "[a b]".
                case "scope" or "scp":
                    scopes.UnionWith(claim.Value.Trim('[', ']').Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
                    break;
            }
        }

        return (subject ?? client) is { Length: > 0 } name ? new Caller($"{issuer} {name}", scopes) : null;
    }
}
