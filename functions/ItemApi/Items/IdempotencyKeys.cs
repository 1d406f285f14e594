using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemApi.Access;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Routing;
using Failover.ItemRecord;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Failover.ItemApi.Items;

/// <summary>
/// The keys by which a client may repeat a create. A row beside the items says that a key serves one create only, whatever id that names, and, before anybody is told so, that the create was done.
/// Between the two the item's own record tells it (<see cref="CreateKey"/>), in any region that it has come to.
/// </summary>
internal sealed class IdempotencyKeys(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout, TimeProvider time, ILogger logger)
{
    public const string Header = "Idempotency-Key";

    private const string RowPrefix = "_key#";
    private const string RequestAttribute = "request";
    private const string VersionAttribute = "version";
    private const int LengthMax = 255;
    private const int HashLength = 32;

    /// <summary>The key of a request, without the quotes that a structured header has; null where it has none.</summary>
    /// <exception cref="ProblemException">It is no key.</exception>
    public static string? Of(Request request)
    {
        if (request.Header(Header)?.Trim() is not { } text)
        {
            return null;
        }

        var key = text is ['"', .. var inner, '"'] ? inner : text;
        return key.Length is > 0 and <= LengthMax && !key.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? key
            : throw new ProblemException(ProblemKind.InvalidHeader, $"{Header} is 1 to {LengthMax} visible ASCII characters; a UUID is a good one.");
    }

    /// <summary>What tells this create from every other.</summary>
    /// <param name="body">The item as it is asked for, and all else that is asked.</param>
    public static CreateKey CreateOf(Caller caller, string key, string body) => new(Hash($"{caller.Subject}\n{key}"), Hash(body));

    /// <summary>The id of an item that is created with a key and without an id: the same wherever, and whenever, it is tried again.</summary>
    public static string IdOf(CreateKey create) => "key-" + create.Key;

    /// <summary>Binds the key to this create, or finds it bound to it.</summary>
    /// <param name="mayBeNew">False: it binds nothing, and only looks.</param>
    /// <returns>The version that the create gave, where it is known that it was done.</returns>
    /// <exception cref="ProblemException">It is bound to another.</exception>
    public async Task<ItemVersion?> BindAsync(CreateKey create, bool mayBeNew, CancellationToken cancellationToken)
    {
        // Bound to the same, it is bound once more: so a retry, the SDK's own too, needs no second look.
        var request = Update(create, "SET #request = :request, #ttl = :ttl", mayBeNew);
        request.ReturnValues = ReturnValue.ALL_NEW;
        using var deadline = cancellationToken.Within(callTimeout);
        try
        {
            var row = await dynamoDb.UpdateItemAsync(request, deadline.Token);
            return ItemVersion.TryParse(row.Attributes.GetValueOrDefault(VersionAttribute)?.S, out var version) ? version : null;
        }
        catch (ConditionalCheckFailedException)
        {
            return mayBeNew ? throw new ProblemException(ProblemKind.KeyReused, ProblemKind.KeyReused.Meaning) : null;
        }
    }

    /// <summary>Keeps that the create was done: from then on a retry is answered whatever becomes of the item.</summary>
    /// <exception cref="ProblemException">It could not be kept. The create was done, but nobody shall rely on it: a retry finds it, and keeps it then.</exception>
    public async Task KeepAsync(CreateKey create, ItemVersion version, CancellationToken cancellationToken)
    {
        var request = Update(create, "SET #request = :request, #ttl = :ttl, #version = if_not_exists(#version, :version)", mayBeNew: true);
        request.ExpressionAttributeNames["#version"] = VersionAttribute;
        request.ExpressionAttributeValues[":version"] = new(version.Text);
        using var deadline = cancellationToken.Within(callTimeout);
        try
        {
            await dynamoDb.UpdateItemAsync(request, deadline.Token);
        }
        catch (Exception error)
        {
            // A key that another region has bound to another create meanwhile is one of these.
            Log.KeyNotKept(logger, error);
            throw new ProblemException(ProblemKind.OutcomeUnknown, ProblemKind.OutcomeUnknown.Meaning);
        }
    }

    /// <summary>A change of the key's row, if it is bound to this create.</summary>
    /// <param name="mayBeNew">Or to none.</param>
    private UpdateItemRequest Update(CreateKey create, string expression, bool mayBeNew) => new()
    {
        TableName = table,
        Key = new() { [ItemAttributes.Id] = new(RowPrefix + create.Key) },
        UpdateExpression = expression,
        ConditionExpression = mayBeNew ? "attribute_not_exists(#request) OR #request = :request" : "#request = :request",
        ExpressionAttributeNames = new() { ["#request"] = RequestAttribute, ["#ttl"] = ItemAttributes.TimeToLive },
        ExpressionAttributeValues = new()
        {
            [":request"] = new(create.Request),
            [":ttl"] = new() { N = (time.GetUtcNow() + ItemStore.TombstoneLifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) },
        },
    };

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashLength];
}
