using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.ControlPlane.Compares;

/// <summary>What reading one region's table once takes, about: DynamoDB counts items and bytes anew every six hours or so. Where the tables differ, a comparison reads them a second time.</summary>
/// <param name="ReadUnits">Half a unit for 4 KB: reads need not be consistent.</param>
public sealed record CompareEstimate(string Region, long Items, long Bytes, double ReadUnits)
{
    /// <summary>On-demand list price of a million read request units in us-east-1 since November 2024, in US dollars.</summary>
    private const double DollarsAMillionUnits = 0.125;

    private const double BytesAUnit = 8192;

    /// <summary>At the list price; provisioned capacity has none by the unit.</summary>
    public double Dollars => ReadUnits / 1e6 * DollarsAMillionUnits;

    /// <summary>Asks for a table's size.</summary>
    public static async Task<CompareEstimate> OfAsync(IAmazonDynamoDB dynamoDb, string region, string table, CancellationToken cancellationToken)
    {
        var description = (await dynamoDb.DescribeTableAsync(new DescribeTableRequest(table), cancellationToken)).Table;
        var bytes = description.TableSizeBytes ?? 0;
        return new CompareEstimate(region, description.ItemCount ?? 0, bytes, Math.Ceiling(bytes / BytesAUnit));
    }

    /// <summary>As a line for people.</summary>
    public string ToText(double readUnitsPerSecond) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Region}: {Items:N0} items, {Bytes / 1e6:N1} MB, {ReadUnits:N0} read units (${Dollars:N4}), {TimeSpan.FromSeconds(ReadUnits / readUnitsPerSecond):d\\.hh\\:mm\\:ss} at the budget");
}
