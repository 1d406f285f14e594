using System.Text.Json;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Operations;
using Failover.Hosting;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Failover.ItemApi.Access;

/// <summary>
/// Verifies bearer tokens where no API Gateway stands before this process: signature, issuer, audience and time, by the issuer's published keys. Only asymmetric signatures: a key that is published signs nothing else.
/// </summary>
/// <param name="jwksUrl">Where the keys are; null: where the issuer's OpenID configuration says.</param>
internal sealed class TokenValidator(string issuer, string audience, Uri? jwksUrl, TimeProvider time, ILogger logger) : IDisposable
{
    private const int DocumentBytesMax = 256 * 1024;
    private const int AttemptsMax = 2;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(1);

    /// <summary>How long keys outlive an issuer that does not answer: one that it has taken back is believed no longer.</summary>
    private static readonly TimeSpan Believed = TimeSpan.FromDays(1);

    /// <summary>How soon keys are read again because a token names one that is not known: issuers change keys, and anybody can name one.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    /// <summary>And while there are none.</summary>
    private static readonly TimeSpan PauseWithout = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Deadline, MaxResponseContentBufferSize = DocumentBytesMax };
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };
    private readonly SharedRun _read = new(2 * AttemptsMax * Deadline, time);
    private KnownKeys? _keys;
    private long? _asked;

    /// <summary>The caller of an Authorization header; null where it has no token that is valid here.</summary>
    /// <exception cref="ProblemException">The keys cannot be had.</exception>
    public async Task<Caller?> ValidateAsync(string? authorization, CancellationToken cancellationToken)
    {
        const string Scheme = "Bearer ";
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var token = authorization[Scheme.Length..].Trim();
        var result = await ValidateAsync(token, await KeysAsync(isNewWanted: false, cancellationToken));
        if (result.Exception is SecurityTokenSignatureKeyNotFoundException)
        {
            result = await ValidateAsync(token, await KeysAsync(isNewWanted: true, cancellationToken));
        }

        return result.IsValid ? Caller.Of(result.ClaimsIdentity.Claims) : null;
    }

    public void Dispose() => _http.Dispose();

    private Task<TokenValidationResult> ValidateAsync(string token, IList<SecurityKey> keys) => _handler.ValidateTokenAsync(token, new TokenValidationParameters
    {
        ValidIssuer = issuer,
        AudienceValidator = HasAudience,
        IssuerSigningKeys = keys,
        ValidAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"],
        RequireSignedTokens = true,
        LifetimeValidator = IsInTime,
    });

    /// <summary>A token without an end has none that is in time.</summary>
    private bool IsInTime(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters) =>
        time.GetUtcNow().UtcDateTime is var now && expires > now - ClockSkew && !(notBefore > now + ClockSkew);

    /// <summary>As API Gateway's authorizer: the audience, or where a token has none the client that it was given to.</summary>
    private bool HasAudience(IEnumerable<string> audiences, SecurityToken token, TokenValidationParameters parameters) =>
        audiences.Any() ? audiences.Contains(audience) : token is JsonWebToken json && json.TryGetClaim("client_id", out var client) && client.Value == audience;

    /// <summary>What was read, while it may be believed.</summary>
    private KnownKeys? Known => _keys is { } keys && time.GetElapsedTime(keys.Timestamp) < Believed ? keys : null;

    /// <summary>The issuer's keys. Those of an hour ago do still, while they are read again; only who has none, or is shown a new one, waits.</summary>
    /// <param name="isNewWanted">A token names a key that is not known.</param>
    private async Task<IList<SecurityKey>> KeysAsync(bool isNewWanted, CancellationToken cancellationToken)
    {
        if (isNewWanted || Known is not { } known || time.GetElapsedTime(known.Timestamp) >= Fresh)
        {
            var read = _read.Join(RefreshAsync);
            await (isNewWanted || Known is null ? read.WaitAsync(cancellationToken) : Task.CompletedTask);
        }

        return Known?.Keys ?? throw new ProblemException(ProblemKind.Unavailable, "The token issuer's keys cannot be had. Nothing was done.");
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (_asked is { } asked && time.GetElapsedTime(asked) < (Known is null ? PauseWithout : Pause))
        {
            return;
        }

        _asked = time.GetTimestamp();
        try
        {
            _keys = new KnownKeys(time.GetTimestamp(), await ReadAsync(cancellationToken));
        }
        catch (Exception error)
        {
            Log.KeysNotRead(logger, error);
        }
    }

    private async Task<IList<SecurityKey>> ReadAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var address = jwksUrl ?? await DiscoverAsync(cancellationToken);
                var keys = new JsonWebKeySet(await _http.GetStringAsync(address, cancellationToken)).GetSigningKeys();
                return keys.Count > 0 ? keys : throw new InvalidOperationException("The issuer has published no keys.");
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException && attempt < AttemptsMax && !cancellationToken.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 250)), time, cancellationToken);
            }
        }
    }

    private async Task<Uri> DiscoverAsync(CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(await _http.GetStringAsync(new Uri(issuer.TrimEnd('/') + "/.well-known/openid-configuration"), cancellationToken));
        var address = new Uri(document.RootElement.GetProperty("jwks_uri").GetString()!);
        return Settings.IsSafe(address) ? address : throw new InvalidOperationException("The issuer's configuration names keys at an address that is not https.");
    }

    private sealed record KnownKeys(long Timestamp, IList<SecurityKey> Keys);
}
